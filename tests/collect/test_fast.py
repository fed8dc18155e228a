"""What reaches into botocore, held against botocore as it is: same models, same requests, same trust."""

from __future__ import annotations

import types
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.config import Config

from benchmarks.loopback import Loopback, server_context
from benchmarks.scan import certify
from wa_audit.collect import fast
from wa_audit.collect.kinds import declared

_OPERATIONS = sorted({kind.operation(call) for kind, call in declared()})
_OF_THE_MOMENT = {"Authorization", "X-Amz-Date", "amz-sdk-invocation-id", "X-Amz-Security-Token"}


class _Sent(Exception):
    """A request, caught where it would have left."""


def _session() -> Any:
    def catch(request: Any, **_: Any) -> None:
        raise _Sent(request)

    inner = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example", region_name="eu-west-1")
    inner.events.register("before-send", catch)
    return inner


@cache
def _client(service: str, *, tuned: bool) -> Any:
    session = _sessions()[tuned]
    return fast.tune_client(session.client(service)) if tuned else session.client(service)


@cache
def _sessions() -> tuple[Any, Any]:
    plain, tuned = _session(), _session()
    fast.tune_session(tuned)
    return plain, tuned


def _example(shape: Any) -> Any:
    """A value of a shape: what is required, and nothing more."""
    match shape.type_name:
        case "structure":
            return {name: _example(shape.members[name]) for name in shape.required_members}
        case "list":
            return [_example(shape.member)]
        case "map":
            return {}
        case "string":
            return (
                "arn:aws:kinesis:eu-west-1:123456789012:stream/x" if "ARN" in shape.name else "123456789012"
            )
        case "boolean":
            return True
        case "timestamp":
            return "2026-01-01"
    return 1


def _request(operation: str, *, tuned: bool) -> tuple[Any, ...]:
    service, _, name = operation.partition(":")
    client = _client(service, tuned=tuned)
    shape = client.meta.service_model.operation_model(name).input_shape
    with pytest.raises(_Sent) as sent:
        client._make_api_call(name, _example(shape) if shape else {})
    (request,) = sent.value.args
    headers = {key: value for key, value in request.headers.items() if key not in _OF_THE_MOMENT}
    return request.method, request.url, request.body, headers


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_every_declared_operation_sends_the_same_request(operation: str) -> None:
    assert _request(operation, tuned=True) == _request(operation, tuned=False)


@pytest.mark.parametrize("service", sorted({operation.partition(":")[0] for operation in _OPERATIONS}))
def test_models_are_read_alike(service: str) -> None:
    def read(session: Any, kind: str) -> Any:
        return session._session.get_component("data_loader").load_service_model(service, kind)

    plain, tuned = _sessions()
    for kind in ("service-2", "endpoint-rule-set-1"):
        assert read(plain, kind) == read(tuned, kind)
        assert list(read(plain, kind)) == list(read(tuned, kind))


def test_it_is_in_force() -> None:
    """Where botocore changes inside, this fails, and the measure is to be looked at again."""
    client = _client("sqs", tuned=True)
    assert client._endpoint.http_session._setup_ssl_cert is fast._demand_certificate
    assert client._user_agent_creator.to_string() is client._user_agent_creator.to_string()
    assert isinstance(_sessions()[1]._session.get_component("data_loader").file_loader, fast._Models)


def test_a_botocore_of_another_make_is_left_alone() -> None:
    other = types.SimpleNamespace(_endpoint=types.SimpleNamespace(http_session=object()))
    assert fast.tune_client(other) is other
    loader = types.SimpleNamespace(file_loader=object())
    session = types.SimpleNamespace(_session=types.SimpleNamespace(get_component=lambda _: loader))
    before = loader.file_loader
    fast.tune_session(session)
    assert loader.file_loader is before


def test_who_sits_behind_a_proxy_keeps_botocores_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    client = fast.tune_client(_session().client("sqs"))
    assert client._endpoint.http_session._setup_ssl_cert is not fast._demand_certificate


def test_trust_is_what_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority of one's own is trusted where AWS_CA_BUNDLE names it, and nowhere else."""
    certify(tmp_path)

    def ask(endpoint: str) -> str:
        session = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example", region_name="eu-west-1")
        config = Config(retries={"total_max_attempts": 1})
        client = session.client("sts", endpoint_url=endpoint, config=config)
        return str(fast.tune_client(client).get_caller_identity()["Account"])

    with Loopback(latency=0, tls=server_context(tmp_path)) as aws:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert ask(aws.endpoint) == "123456789012"
        monkeypatch.delenv("AWS_CA_BUNDLE")
        with pytest.raises(exceptions.SSLError):
            ask(aws.endpoint)
