"""Healthy answers to every declared call, made from botocore's shapes, in the service's protocol."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import botocore.session

from wa_audit.collect.kinds import Call, Kind
from wa_audit.expressions import fields_of

SESSION = botocore.session.get_session()
ACCOUNT = "123456789012"
REGION = "eu-west-1"
_TIME = "2026-01-02T03:04:05Z"
_EPOCH = 1767323045
_JSON = re.compile(r"polic(y|ies)|document|json|body|pattern|definition|parameters$", re.IGNORECASE)
_TOKENS = re.compile(r"(next|page|continuation)\w*(token|marker)$|^marker$|^lastevaluated", re.IGNORECASE)
_DEEPEST = 12

Text = Callable[[Any, tuple[str, ...]], str]
"""What a string member holds, from its shape and its path: `("Buckets", "Name")`."""

# What a call hangs on where the first value of an enumeration, or any word, would not do.
_WANTED: dict[str, dict[str, Any]] = {
    "AWS::KMS::Key": {
        "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyState": "Enabled"
    },
    "AWS::QuickSight::DataSet": {"ImportMode": "SPICE"},
    "AWS::S3::Bucket": {"BucketRegion": REGION, "ObjectOwnership": "ObjectWriter"},
    "AWS::CloudTrail::Trail": {"HomeRegion": REGION},
    "AWS::Lambda::Function": {"Policy": '{"Statement": [{"Effect": "Allow", "Principal": "*"}]}'},
    "AWS::Glue::Table": {"table_type": "ICEBERG"},
    "AWS::ServiceQuotas::Quota": {
        "MetricNamespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        # Of a map, its keys.
        "MetricDimensions": ("Class", "Resource", "Service", "Type"),
    },
    "AWS::EMR::SecurityConfiguration": {"SecurityConfiguration": "{}"},
    "AWS::EMR::Cluster": {"InstanceCollectionType": "INSTANCE_GROUP"},
    "AWS::Redshift::Cluster": {"ClusterStatus": "available", "Status": "FINISHED"},
}  # fmt: skip
_WANTED_BY: dict[str, dict[str, Any]] = {
    "emr:ListInstanceFleets": {"InstanceCollectionType": "INSTANCE_FLEET"},
    "glue:GetPartitions": {"PartitionIndexDescriptorList": []},
}


def model(kind: Kind, call: Call) -> Any:
    """Botocore's model of a call's operation."""
    return SESSION.get_service_model(call.service or kind.service).operation_model(call.operation)


def plain_text(shape: Any, path: tuple[str, ...]) -> str:
    """A plausible value: the enumeration's first, JSON where AWS writes JSON, ARNs where the name says so."""
    name = path[-1] if path else ""
    if getattr(shape, "enum", None):
        return str(shape.enum[0])
    if _JSON.search(name) and not name.lower().endswith(("name", "arn", "id", "type")):
        return '{"Version": "2012-10-17"}'
    if name.lower().endswith(("arn", "arns")):
        return f"arn:aws:service:{REGION}:{ACCOUNT}:thing/{'-'.join(path).lower()}"
    if name.lower().endswith("region"):
        return REGION
    if name in ("OwnerId", "AccountId", "AWSAccountId"):
        return ACCOUNT
    return f"{name or 'item'}-1"


def healthy(kind: Kind, call: Call, wanted: str = "", text: Text = plain_text) -> dict[str, Any]:
    """The members of a whole answer; `wanted` is the operation whose call the answer must lead to."""
    given = {**_WANTED.get(kind.type, {}), **_WANTED_BY.get(wanted, {})}
    if wanted == "s3:HeadBucket" and call is kind.list:
        given["BucketRegion"] = None
    shape = model(kind, call).output_shape
    return dict(_Builder(kind, call, given, text).build(shape, (), ())) if shape is not None else {}


class _Builder:
    """Makes the value of a shape: one item a list, every member a structure."""

    def __init__(self, kind: Kind, call: Call, given: dict[str, Any], text: Text) -> None:
        self._kind = kind
        self._call = call
        self._given = given
        self._text = text
        self._left_out = fields_of(call.failures) if call.failures else frozenset[str]()

    def build(self, shape: Any, path: tuple[str, ...], above: tuple[str, ...]) -> Any:
        form, name = shape.type_name, path[-1] if path else ""
        if name in self._given and (not self._given[name] or form not in ("structure", "list", "map")):
            return self._given[name]
        match form:
            case "structure":
                return self._structure(shape, path, above)
            case "list":
                item = self.build(shape.member, path, above)
                return None if item is None else [item]
            case "map":
                return self._map(shape, path, above)
            case "string" | "character":
                return self._text(shape, path)
            case "blob":
                return self._text(shape, path).encode()
        return {"boolean": False, "timestamp": _TIME}.get(form, 3)

    def _structure(self, shape: Any, path: tuple[str, ...], above: tuple[str, ...]) -> Any:
        if shape.name in above or len(above) > _DEEPEST:
            return None
        found = {
            member: self.build(child, (*path, member), (*above, shape.name))
            for member, child in shape.members.items()
            if not _TOKENS.search(member) and (path or member not in self._left_out - self._given.keys())
        }
        found = {member: value for member, value in found.items() if value is not None}
        # Of a union, one member is sent.
        return dict(list(found.items())[:1]) if getattr(shape, "is_tagged_union", False) else found

    def _map(self, shape: Any, path: tuple[str, ...], above: tuple[str, ...]) -> Any:
        take = self._call.take
        keys = list(shape.key.enum or ["key"])
        keys += self._given.get(path[-1], ())
        if re.search(rf"\b{path[-1]}$", take):
            keys += self._call.keep.split()
        keys += [key for key in self._given if re.search(rf"\b{path[-1]}\.\W?{key}", take)]
        found = {key: self.build(shape.value, (*path, key), above) for key in dict.fromkeys(keys)}
        # Attributes are all text, and some of them are numbers, booleans or JSON.
        for key in set(self._kind.decode) & set(found) if shape.value.type_name == "string" else ():
            found[key] = '{"Version": "2012-10-17"}' if _JSON.search(key) else "3"
        return {key: value for key, value in found.items() if value is not None} or None


# -- writing ---------------------------------------------------------------------------------------


def write(operation: Any, answer: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """An answer as the bytes and headers that its service sends."""
    protocol = operation.service_model.resolved_protocol
    shape = operation.output_shape
    headers: dict[str, str] = {}
    if shape is None:
        return b"", headers
    body = {}
    for name, value in answer.items():
        where = shape.members[name].serialization.get("location") if name in shape.members else None
        if where == "header":
            headers[shape.members[name].serialization.get("name", name)] = str(value)
        elif where is None:
            body[name] = value
    payload = shape.serialization.get("payload")
    if payload is not None:
        member, value = shape.members[payload], body.get(payload)
        if member.type_name in ("string", "blob"):
            return value.encode() if isinstance(value, str) else bytes(value or b""), headers
        shape, body = member, value or {}
    if operation.http.get("method") == "HEAD":
        return b"", headers
    if "json" in protocol:
        return json.dumps(_to_json(shape, body)).encode(), headers
    root = shape.serialization.get("name") or f"{operation.name}Response"
    inner = _members_to_xml(shape, body)
    if wrapper := operation.output_shape.serialization.get("resultWrapper"):
        inner = f"<{wrapper}>{inner}</{wrapper}><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    return f'<?xml version="1.0" encoding="UTF-8"?><{root}>{inner}</{root}>'.encode(), headers


def _to_json(shape: Any, value: Any) -> Any:
    if shape is None:
        return value
    match shape.type_name, value:
        case "structure", dict():
            return {
                child.serialization.get("name", name) if child is not None else name: _to_json(child, item)
                for name, item in value.items()
                for child in (shape.members.get(name),)
            }
        case "list", list():
            return [_to_json(shape.member, item) for item in value]
        case "map", dict():
            return {name: _to_json(shape.value, item) for name, item in value.items()}
        case "timestamp", str() if value == _TIME:
            style = shape.serialization.get("timestampFormat", "unixTimestamp")
            return _EPOCH if style == "unixTimestamp" else value
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _members_to_xml(shape: Any, value: Any) -> str:
    if not isinstance(value, dict):
        return _scalar(value)
    return "".join(
        _to_xml(shape.members[name], shape.members[name].serialization.get("name", name), item)
        for name, item in value.items()
        if name in shape.members and not shape.members[name].serialization.get("xmlAttribute")
    )


def _to_xml(shape: Any, name: str, value: Any) -> str:
    flat = shape.serialization.get("flattened")
    if shape.type_name == "structure" and isinstance(value, dict):
        return f"<{name}>{_members_to_xml(shape, value)}</{name}>"
    if shape.type_name == "list" and isinstance(value, list):
        each = shape.member.serialization.get("name", name if flat else "member")
        items = "".join(_to_xml(shape.member, name if flat else each, item) for item in value)
        return items if flat else f"<{name}>{items}</{name}>"
    if shape.type_name == "map" and isinstance(value, dict):
        key, child = (
            shape.key.serialization.get("name", "key"),
            shape.value.serialization.get("name", "value"),
        )
        pairs = [f"{_to_xml(shape.key, key, k)}{_to_xml(shape.value, child, v)}" for k, v in value.items()]
        if flat:
            return "".join(f"<{name}>{pair}</{name}>" for pair in pairs)
        return f"<{name}>{''.join(f'<entry>{pair}</entry>' for pair in pairs)}</{name}>"
    return f"<{name}>{_scalar(value)}</{name}>"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return escape(value if isinstance(value, str) else json.dumps(value))


def write_error(operation: Any, code: str, status: int, message: str) -> tuple[bytes, dict[str, str]]:
    """An error as the bytes and headers that the operation's service sends."""
    if operation.http.get("method") == "HEAD":
        return b"", {}
    if "json" in operation.service_model.resolved_protocol:
        body = json.dumps({"__type": code, "message": message}).encode()
        return body, {"x-amzn-errortype": code}
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    match operation.service_model.service_name:
        case "s3":
            text = f"<Error>{inner}</Error>"
        case "ec2":
            text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>1</RequestID></Response>"
        case _:
            text = f"<ErrorResponse><Error>{inner}</Error><RequestId>1</RequestId></ErrorResponse>"
    return text.encode(), {"Content-Type": "text/xml"}
