"""What settings refer to: the queues, tables, buckets and streams that environment variables and job
arguments name.

Values of such settings never enter an inventory, because any of them may be a secret. What a value refers to
may: an ARN, the bucket of an S3 location, the queue of an SQS URL, the host of a Redshift URL or of an
endpoint that a service sends to, and a bare name where the setting's own name says that it is one of a
resource (`ORDERS_TABLE`, `--output_bucket`) and the value has the form of such a name. The rest of a
location, where a token may stand, is cut off.
"""

from __future__ import annotations

import re

from wa_audit.aws import arns, secrets

FIELD = "References"
"""The field that the collector fills: `s3://bucket`, `redshift://host`, `https://host`, an ARN,
`sqs:region:account:name`, or `type:name`."""

# Services whose ARNs name a resource that data goes to or comes from, and none whose ARN leads to a secret.
SERVICES = frozenset(
    (
        "athena dynamodb elasticmapreduce es events firehose glue kafka kinesis lambda redshift "
        "redshift-serverless s3 sns sqs states"
    ).split()
)
# By the last word of a setting's name.
_WORDS = {
    "bucket": "AWS::S3::Bucket",
    "table": "AWS::DynamoDB::Table",
    "queue": "AWS::SQS::Queue",
    "topic": "AWS::SNS::Topic",
    "stream": "AWS::Kinesis::Stream",
    "workgroup": "AWS::Athena::WorkGroup",
    "database": "AWS::Glue::Database",
}
_TELLING = re.compile(rf"(?:^|[_\-.\s]){'(' + '|'.join(_WORDS) + ')'}(?:[_\-.]?name)?$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,62}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# https://docs.aws.amazon.com/general/latest/gr/sqs-service.html and the older form of the URL
_QUEUE = re.compile(
    r"https?://(?:sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?|([a-z0-9-]+)\.queue\.amazonaws\.com(?:\.cn)?|[\w.:-]+)"
    r"/(\d{12})/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)"
)
# https://docs.aws.amazon.com/redshift/latest/mgmt/jdbc20-obtain-url.html, serverless-connecting.html
_REDSHIFT = re.compile(
    r"(?:jdbc:redshift(?::iam)?://|redshift://)?"
    r"([a-z0-9-]+\.[a-z0-9]+\.[a-z0-9-]+\.redshift(?:-serverless)?\.amazonaws\.com(?:\.cn)?)(?:[:/].*)?"
)
# Settings that name an endpoint which a service itself sends to, and the host in their URLs.
_ENDPOINTS = ("HECEndpoint", "Url")
_HOST = re.compile(r"https://(?:[^/@?#]*@)?([A-Za-z0-9.-]+)(?=[:/?#]|$)")


def of(key: str, value: object) -> str | None:
    """What the value of a setting refers to, in the form that `FIELD` says; None where to nothing."""
    text = value.strip() if isinstance(value, str) else ""
    if host := _REDSHIFT.fullmatch(text):
        return f"redshift://{host[1]}"
    if key in _ENDPOINTS and (host := _HOST.match(text)):
        return f"https://{host[1]}"
    if not text or text != secrets.scrub(text):
        return None
    if location := arns.s3_location(text):
        return f"s3://{location.bucket}" if _BUCKET.fullmatch(location.bucket) else None
    if text.startswith("arn:"):
        return arns.whole(text) if arns.parse(text).service in SERVICES and " " not in text else None
    if match := _QUEUE.fullmatch(text):
        return f"sqs:{match[1] or match[2] or ''}:{match[3]}:{match[4]}"
    told = _TELLING.search(_CAMEL.sub("_", key).lower())
    if told is None or secrets.sensitive_key(key) or secrets.classify(key, text) != "literal":
        return None
    form = _BUCKET if told[1] == "bucket" else _NAME
    return f"{_WORDS[told[1]]}:{text}" if form.fullmatch(text) else None


def arn(reference: str, partition: str, region: str, account: str) -> tuple[str, str]:
    """The ARN or URI of what was referred to; of a bare name, also the type that it may be of.

    A bare name may as well be one in another system: it counts only where there is such a resource.
    """
    if reference.startswith("s3://"):
        return f"arn:{partition}:s3:::{reference.removeprefix('s3://')}", ""
    if reference.startswith(("arn:", "https://", "redshift://")):
        return reference, ""
    if reference.startswith("sqs:"):
        _, own_region, owner, name = reference.split(":")
        return f"arn:{partition}:sqs:{own_region or region}:{owner}:{name}", ""
    type_, _, name = reference.rpartition(":")
    known = type_ in _WORDS.values()
    return (
        arns.build(type_, name, partition=partition, region=region, account=account) if known else ""
    ), type_


def queue_arn(url: str, partition: str, region: str) -> str:
    """The ARN of the queue that an SQS URL names, in `region` where the URL names none; empty for no URL."""
    match = _QUEUE.fullmatch(url)
    if not match:
        return ""
    return f"arn:{partition}:sqs:{match[1] or match[2] or region}:{match[3]}:{match[4]}"
