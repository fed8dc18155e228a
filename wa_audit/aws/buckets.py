"""What the name of an S3 bucket says of it, and how much it holds."""

from __future__ import annotations

from wa_audit.model import Resource

# Suffixes that AWS reserves for directory buckets (S3 Express) and table buckets (S3 Tables).
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED = ("--x-s3", "--table-s3")

# By what S3 reports a bucket's size, of which these hold its objects.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
STORAGE_TYPES = (
    "StandardStorage",
    "StandardIAStorage",
    "OneZoneIAStorage",
    "IntelligentTieringFAStorage",
    "IntelligentTieringIAStorage",
    "IntelligentTieringAIAStorage",
    "IntelligentTieringAAStorage",
    "IntelligentTieringDAAStorage",
    "GlacierInstantRetrievalStorage",
    "GlacierStorage",
    "DeepArchiveStorage",
)


def is_general_purpose(name: str) -> bool:
    """Whether it is neither a directory nor a table bucket; those are HTTPS only and never public."""
    return not name.endswith(_RESERVED)


def size_in_bytes(bucket: Resource) -> float:
    """What S3 last reported a bucket's objects to take, over all storage classes; 0 where it reported none.

    Raises:
        Unread: a metric could not be read.
    """
    return sum(bucket.latest(f"BucketSizeBytes.{type_}") for type_ in STORAGE_TYPES)
