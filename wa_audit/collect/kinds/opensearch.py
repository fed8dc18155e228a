"""Amazon OpenSearch Service."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundException",)

KINDS = (
    Kind(
        "AWS::OpenSearchService::Domain",
        service="opensearch",
        list=Call(operation="ListDomainNames", take="DomainNames", keep="DomainName EngineType"),
        name="DomainName",
        arn="arn:{partition}:es:{region}:{account}:domain/{DomainName}",
        details=(
            # Identity providers' metadata and keys are not kept.
            Call(
                operation="DescribeDomain",
                args={"DomainName": "DomainName"},
                take="DomainStatus",
                keep="EngineVersion ClusterConfig EBSOptions AccessPolicies VPCOptions SnapshotOptions "
                "EncryptionAtRestOptions NodeToNodeEncryptionOptions DomainEndpointOptions "
                "AdvancedSecurityOptions LogPublishingOptions Deleted",
                drop="AdvancedSecurityOptions.SAMLOptions AdvancedSecurityOptions.JWTOptions",
                gone=_GONE,
            ),
            Call(
                operation="ListTags",
                args={"ARN": "arn"},
                take="TagList",
                into="Tags",
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=("AccessPolicies",),
    ),
)
