"""What the name of an S3 bucket says of it."""

from __future__ import annotations

# Suffixes that AWS reserves for directory buckets (S3 Express) and table buckets (S3 Tables).
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED = ("--x-s3", "--table-s3")


def is_general_purpose(name: str) -> bool:
    """Whether it is neither a directory nor a table bucket; those are HTTPS only and never public."""
    return not name.endswith(_RESERVED)
