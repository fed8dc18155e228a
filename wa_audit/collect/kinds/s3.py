"""Amazon S3."""

from dataclasses import replace

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("NoSuchBucket",)
_BUCKET = {"Bucket": "Name"}


# Replication and Object Lock need versioning, and keep it from being suspended:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
_VERSIONED = "Versioning.Status == 'Enabled'"


def _get(operation: str, take: str, into: str, *absent: str, optional: bool = False, when: str = "") -> Call:
    """A bucket sub-resource: one GET, one fact, and the error code that means it is not configured."""
    return Call(
        operation=operation,
        args=_BUCKET,
        take=take,
        into=into,
        absent=absent,
        gone=_GONE,
        optional=optional,
        when=when,
    )


KINDS = (
    Kind(
        "AWS::S3::Bucket",
        service="s3",
        scope="global",
        # MaxBuckets makes AWS page and name each bucket's region.
        list=Call(
            operation="ListBuckets",
            params={"MaxBuckets": 1000},
            take="Buckets",
            keep="Name CreationDate BucketRegion",
        ),
        region="BucketRegion",
        arn="arn:{partition}:s3:::{Name}",
        details=(
            Call(
                operation="HeadBucket",
                args=_BUCKET,
                when="!BucketRegion",
                take="{BucketRegion: BucketRegion}",
                keep="BucketRegion",
                gone=("404", *_GONE),
            ),
            _get(
                "GetBucketVersioning", "{Status: Status, MFADelete: MFADelete}", "Versioning", optional=True
            ),
            _get(
                "GetBucketEncryption",
                "ServerSideEncryptionConfiguration.Rules",
                "Encryption",
                "ServerSideEncryptionConfigurationNotFoundError",
            ),
            _get("GetBucketPolicy", "Policy", "Policy", "NoSuchBucketPolicy"),
            _get(
                "GetBucketPolicyStatus", "PolicyStatus", "PolicyStatus", "NoSuchBucketPolicy", when="Policy"
            ),
            _get(
                "GetBucketOwnershipControls",
                "OwnershipControls.Rules",
                "OwnershipControls",
                "OwnershipControlsNotFoundError",
            ),
            # S3 ignores ACLs where the bucket's owner owns every object.
            _get(
                "GetBucketAcl",
                "Grants",
                "Grants",
                when="OwnershipControls[0].ObjectOwnership != 'BucketOwnerEnforced'",
            ),
            _get(
                "GetPublicAccessBlock",
                "PublicAccessBlockConfiguration",
                "PublicAccessBlock",
                "NoSuchPublicAccessBlockConfiguration",
            ),
            _get(
                "GetBucketLifecycleConfiguration", "Rules", "LifecycleRules", "NoSuchLifecycleConfiguration"
            ),
            _get(
                "GetBucketReplication",
                "ReplicationConfiguration",
                "Replication",
                "ReplicationConfigurationNotFoundError",
                when=_VERSIONED,
            ),
            # Both answer with an empty body where nothing is configured.
            _get("GetBucketLogging", "LoggingEnabled", "LoggingEnabled", optional=True),
            _get(
                "GetBucketNotificationConfiguration",
                "{TopicConfigurations: TopicConfigurations, QueueConfigurations: QueueConfigurations,"
                " LambdaFunctionConfigurations: LambdaFunctionConfigurations,"
                " EventBridgeConfiguration: EventBridgeConfiguration}",
                "Notifications",
                optional=True,
            ),
            _get(
                "GetObjectLockConfiguration",
                "ObjectLockConfiguration",
                "ObjectLock",
                "ObjectLockConfigurationNotFoundError",
                when=_VERSIONED,
            ),
            # AWS leaves the list out where there is none. Filters by tag are the user's own text.
            Call(
                operation="ListBucketIntelligentTieringConfigurations",
                args=_BUCKET,
                take="IntelligentTieringConfigurationList[].{Id: Id, Status: Status, Tierings: Tierings,"
                " Prefix: Filter.Prefix || Filter.And.Prefix}",
                into="IntelligentTiering",
                gone=_GONE,
                optional=True,
                token="ContinuationToken",
                next="NextContinuationToken",
            ),
            replace(_get("GetBucketTagging", "TagSet", "Tags", "NoSuchTagSet"), aid=tags("s3")),
        ),
        decode=("Policy",),
    ),
    Kind(
        "AWS::S3::AccountPublicAccessBlock",
        service="s3control",
        scope="global",
        # No configuration is an answer too: the account blocks nothing.
        list=Call(
            operation="GetPublicAccessBlock",
            args={"AccountId": "account"},
            take="[PublicAccessBlockConfiguration]",
            keep="BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets",
            absent=("NoSuchPublicAccessBlockConfiguration",),
        ),
        name="'account'",
        arn="arn:{partition}:s3::{account}:public-access-block",
    ),
)
