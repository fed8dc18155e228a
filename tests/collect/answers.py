"""Canned answers at botocore's `before-send`: the collector's real stack, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSResponse

from wa_audit.collect.session import AwsSession


class _Raw:
    """What botocore reads a body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body

    def read(self, *_: Any) -> bytes:
        return self._body


def response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> AWSResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"Content-Type": "application/json", **(headers or {})}
    return AWSResponse("https://example.test/", status, kind, _Raw(raw))  # type: ignore[no-untyped-call]


def error(code: str, status: int = 400, message: str = "no") -> AWSResponse:
    """An error of the JSON protocols."""
    return response({"__type": code, "message": message}, status, {"x-amzn-errortype": code})


def session(answer: Callable[[str, dict[str, Any]], AWSResponse], region: str = "eu-west-1") -> AwsSession:
    """A session whose every call is answered by `answer(operation, parameters)`, `sqs:ListQueues`."""
    inner = boto3.session.Session(
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="example", region_name=region
    )

    def before_send(request: Any, event_name: str, **_: Any) -> AWSResponse:
        _, service, operation = event_name.split(".", 2)
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        if body.startswith("{"):
            parameters = json.loads(body)
        else:
            query = body or urlsplit(request.url).query
            parameters = {name: values[0] for name, values in parse_qs(query).items()}
        return answer(f"{service}:{operation}", {**parameters, "url": request.url})

    inner.events.register("before-send", before_send)
    return AwsSession(inner)


IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/auditor</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
NO_PROFILES = (
    b'<ListInstanceProfilesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListInstanceProfilesResult>'
    b"<InstanceProfiles/><IsTruncated>false</IsTruncated></ListInstanceProfilesResult></ListInstanceProfilesResponse>"
)
