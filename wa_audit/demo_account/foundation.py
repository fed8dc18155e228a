"""What the pipelines share: keys, the alarm topics, the log bucket, and the account's own settings."""

from __future__ import annotations

from wa_audit.demo_account.account import SECOND_REGION, Account, allow, document, pairs

PLATFORM = {"project": "platform", "owner": "data-platform", "environment": "production"}
TERRAFORM = {"ManagedBy": "terraform"}

ALERTS = "acme-platform-alerts"
LOGS = "acme-access-logs"


def seed(account: Account) -> None:
    keys(account)
    topics(account)
    access_logs(account)
    catalog(account)


def keys(account: Account) -> None:
    account.key("acme-data", rotated=True, tags=PLATFORM | TERRAFORM)
    # Made by hand for the order service, and never rotated since.
    account.key("acme-orders", rotated=False, tags=PLATFORM)
    # Opened to everybody when a partner could not decrypt a file.
    account.key(
        "acme-partner-share",
        rotated=True,
        policy=document(
            allow("kms:*", "*", principal={"AWS": f"arn:aws:iam::{account.id}:root"}),
            allow(["kms:Decrypt", "kms:DescribeKey"], "*", principal="*", sid="PartnerDecrypt"),
        ),
        tags=PLATFORM,
    )
    # Switched off in a clean-up, although a topic of the reporting pipeline still encrypts with it.
    account.key("acme-legacy", rotated=False, tags=PLATFORM)
    account.do("kms:DisableKey", KeyId=account.keys["acme-legacy"].rpartition("/")[2])


def topics(account: Account) -> None:
    """Two topics that alarms write to: one that somebody reads, and one that nobody does."""
    alerts = account.arn("sns", ALERTS)
    account.do(
        "sns:CreateTopic",
        Name=ALERTS,
        Attributes={"KmsMasterKeyId": "alias/acme-data"},
        Tags=pairs(PLATFORM | TERRAFORM),
    )
    account.do("sns:Subscribe", TopicArn=alerts, Protocol="email", Endpoint="oncall@acme.example")
    account.do(
        "sns:CreateTopic",
        Name="acme-reporting-alerts",
        Attributes={"KmsMasterKeyId": "alias/acme-legacy"},
        Tags=pairs(PLATFORM),
    )


def access_logs(account: Account) -> None:
    """The bucket that the others log to, and an account-wide block that stops half way."""
    account.bucket(
        LOGS,
        versioning="Enabled",
        lifecycle=[
            {
                "ID": "expire",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Expiration": {"Days": 90},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
            }
        ],
        policy=[
            allow(
                "s3:PutObject",
                f"arn:aws:s3:::{LOGS}/*",
                principal={"Service": "logging.s3.amazonaws.com"},
                condition={"StringEquals": {"aws:SourceAccount": account.id}},
            )
        ],
        tags=PLATFORM | TERRAFORM,
    )
    account.do(
        "s3control:PutPublicAccessBlock",
        AccountId=account.id,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )


def catalog(account: Account) -> None:
    """The Glue Data Catalog is encrypted, and so are the passwords in its connections. Frankfurt's is not,
    and anybody may read it."""
    account.do("glue:CreateDatabase", region=SECOND_REGION, DatabaseInput={"Name": "acme_legacy"})
    account.do(
        "glue:PutResourcePolicy",
        region=SECOND_REGION,
        PolicyInJson=document(
            allow(
                ["glue:GetDatabase", "glue:GetTables"],
                f"arn:aws:glue:{SECOND_REGION}:{account.id}:*",
                principal="*",
            )
        ),
    )
    account.do(
        "glue:PutDataCatalogEncryptionSettings",
        DataCatalogEncryptionSettings={
            "EncryptionAtRest": {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": "alias/acme-data"},
            "ConnectionPasswordEncryption": {
                "ReturnConnectionPasswordEncrypted": True,
                "AwsKmsKeyId": "alias/acme-data",
            },
        },
    )
    account.do(
        "glue:PutResourcePolicy",
        PolicyInJson=document(
            allow(
                ["glue:GetTable", "glue:GetPartitions"],
                account.arn("glue", "*"),
                principal={"AWS": f"arn:aws:iam::{account.id}:root"},
            )
        ),
    )
    key = {"KmsKeyArn": account.keys["acme-data"]}
    account.do(
        "glue:CreateSecurityConfiguration",
        Name="acme-encrypted",
        EncryptionConfiguration={
            "S3Encryption": [{"S3EncryptionMode": "SSE-KMS"} | key],
            "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS"} | key,
            "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "CSE-KMS"} | key,
        },
    )
    # Encrypts what a job writes, and forgets its logs and bookmarks.
    account.do(
        "glue:CreateSecurityConfiguration",
        Name="acme-s3-only",
        EncryptionConfiguration={
            "S3Encryption": [{"S3EncryptionMode": "SSE-S3"}],
            "CloudWatchEncryption": {"CloudWatchEncryptionMode": "DISABLED"},
            "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "DISABLED"},
        },
    )
