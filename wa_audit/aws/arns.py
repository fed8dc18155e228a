"""Amazon Resource Names and S3 locations.

The format is AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Arn(NamedTuple):
    """The parts of an ARN; all empty where the text is not one."""

    partition: str = ""
    service: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""

    @property
    def name(self) -> str:
        """What stands after the last `/` or `:` of the resource part."""
        return re.split(r"[/:]", self.resource)[-1]


def parse(text: object) -> Arn:
    """The parts of an ARN; `Arn()` for anything that is not one, so that callers need no second test."""
    if not isinstance(text, str) or not text.startswith("arn:"):
        return Arn()
    parts = text.split(":", 5)
    if len(parts) < 6:
        return Arn()
    return Arn(*parts[1:])


class S3Location(NamedTuple):
    bucket: str
    prefix: str


_S3_URI = re.compile(r"^s3[an]?://([^/]+)/?(.*)$", re.DOTALL)


def s3_location(uri: object) -> S3Location | None:
    """Bucket and key prefix of `s3://`, `s3a://` and `s3n://` URIs and of S3 ARNs; None for anything else."""
    if not isinstance(uri, str):
        return None
    if match := _S3_URI.match(uri):
        return S3Location(match[1], match[2])
    arn = parse(uri)
    if arn.service == "s3":
        bucket, _, prefix = arn.resource.partition("/")
        return S3Location(bucket, prefix)
    return None


def function_arn(text: str) -> str:
    """A Lambda function's ARN without alias or version: `…:function:name:prod` gives `…:function:name`."""
    parts = text.split(":")
    return ":".join(parts[:7]) if len(parts) > 7 and parts[2] == "lambda" else text


_PARTS = re.compile(r"(table/[^/]+)/(?:stream|index)/.*|(stream/[^/]+)/consumer/.*")


def whole(text: str) -> str:
    """The ARN of the resource that an ARN is a part or a version of; any other ARN as it is.

    A function without alias or version, a state machine likewise, a table of its stream or index, a stream of
    its consumer, a bucket of its objects, a log group without the `:*` that policies want.
    """
    arn = parse(text)
    match arn.service:
        case "lambda":
            return function_arn(text)
        case "s3" if not arn.region and "/" in arn.resource:
            return text[: text.index("/")]
        case "states" if arn.resource.startswith("stateMachine:"):
            return ":".join(text.split(":")[:7])
        case "dynamodb" | "kinesis":
            if match := _PARTS.fullmatch(arn.resource):
                return text[: -len(arn.resource)] + (match[1] or match[2])
        case "logs":
            return text.removesuffix(":*")
    return text
