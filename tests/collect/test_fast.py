"""What reaches into botocore, held against botocore as it is: same models, same requests, same trust."""

from __future__ import annotations

import copy
import datetime
import gc
import json
import sys
import types
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions, hooks
from botocore.config import Config
from botocore.utils import parse_timestamp

from benchmarks.loopback import Loopback, server_context
from benchmarks.scan import certify
from wa_audit.collect import answers, fast, models
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


def _by_service() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for operation in _OPERATIONS:
        service, _, name = operation.partition(":")
        found.setdefault(service, set()).add(name)
    return found


@cache
def _client(service: str, *, tuned: bool) -> Any:
    session = _sessions()[tuned]
    return fast.tune_client(session.client(service)) if tuned else session.client(service)


@cache
def _sessions() -> tuple[Any, Any]:
    plain, tuned = _session(), _session()
    fast.tune_session(tuned, _by_service())
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


def _request(operation: str, client: Any) -> tuple[Any, ...]:
    name = operation.partition(":")[2]
    model = client.meta.service_model.operation_model(name)
    parameters = _example(model.input_shape) if model.input_shape else {}
    # Botocore would write another into every request.
    parameters |= dict.fromkeys(model.idempotent_members, "a-token")
    with pytest.raises(_Sent) as sent:
        client._make_api_call(name, parameters)
    (request,) = sent.value.args
    headers = {key: value for key, value in request.headers.items() if key not in _OF_THE_MOMENT}
    scope = str(request.headers["Authorization"]).split("/", 2)[-1].split(",")[0]  # region and service
    return request.method, request.url, request.body, headers, scope


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_every_declared_operation_sends_the_same_request(operation: str) -> None:
    service = operation.partition(":")[0]
    plain, tuned = (_request(operation, _client(service, tuned=tuned)) for tuned in (False, True))
    assert tuned == plain


@pytest.mark.parametrize("region", ["us-east-2", "ap-southeast-2"])
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_a_client_for_another_region_sends_what_a_clients_own_would(operation: str, region: str) -> None:
    service = operation.partition(":")[0]
    moved = fast.in_region(_client(service, tuned=True), region)
    if service in ("budgets", "ce", "iam", "organizations"):
        assert moved is None  # of no region: one client is made, and one alone
        return
    assert moved is not None
    assert moved.meta.region_name == region
    assert _request(operation, moved) == _request(operation, _plain(service, region))
    # The first one still goes where it went.
    assert _client(service, tuned=True).meta.region_name == "eu-west-1"
    again = _request(operation, _client(service, tuned=True))
    assert again == _request(operation, _client(service, tuned=False))


def test_what_hangs_on_the_region_alone_is_made_anew() -> None:
    assert fast.in_region(_client("s3", tuned=True), "us-east-1") is None
    virginia = fast.tune_client(_sessions()[1].client("s3", region_name="us-east-1"))
    moved = fast.in_region(virginia, "eu-west-1")
    assert _request("s3:GetBucketPolicy", moved) == _request("s3:GetBucketPolicy", _client("s3", tuned=False))


def test_a_client_that_is_made_while_another_looks_for_handlers_signs_for_its_own_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Botocore keeps what it found for an event: a handler that came in the midst was never heard, and
    what was signed for another region read that region, where an endpoint serves all of them."""
    client = fast.tune_client(_sessions()[1].client("dynamodb"))
    handlers = client.meta.events._emitter._handlers
    search, moved = handlers.prefix_search, []

    def looking(event: str) -> Any:
        found = search(event)
        if event == "before-parameter-build.dynamodb.ListTables" and not moved:
            moved.append(fast.in_region(client, "us-east-1"))
        return found

    monkeypatch.setattr(handlers, "prefix_search", looking)
    _request("dynamodb:ListTables", client)
    (other,) = moved
    assert _request("dynamodb:ListTables", other) == _request(
        "dynamodb:ListTables", _plain("dynamodb", "us-east-1")
    )


@cache
def _plain(service: str, region: str) -> Any:
    return _sessions()[0].client(service, region_name=region)


@pytest.mark.parametrize("service", sorted({operation.partition(":")[0] for operation in _OPERATIONS}))
def test_models_are_read_alike(service: str) -> None:
    def read(session: Any, kind: str) -> Any:
        return session._session.get_component("data_loader").load_service_model(service, kind)

    plain, tuned = _sessions()
    assert read(plain, "endpoint-rule-set-1") == read(tuned, "endpoint-rule-set-1")
    whole, cut = read(plain, "service-2"), read(tuned, "service-2")
    assert whole.keys() - cut.keys() <= {"documentation", "examples"}
    assert list(cut["operations"]) == [name for name in whole["operations"] if name in cut["operations"]]
    for part in ("operations", "shapes"):
        assert cut[part] == {name: _undocumented(whole[part][name]) for name in cut[part]}
    rest = cut.keys() - {"operations", "shapes"}
    assert {name: cut[name] for name in rest} == {name: whole[name] for name in rest}


def _undocumented(value: Any) -> Any:
    if isinstance(value, dict):
        texts = {name for name, child in value.items() if name == "documentation" and isinstance(child, str)}
        return {name: _undocumented(child) for name, child in value.items() if name not in texts}
    return [*map(_undocumented, value)] if isinstance(value, list) else value


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_every_shape_that_a_declared_operation_leads_to_is_there(operation: str) -> None:
    service, _, name = operation.partition(":")
    model = _client(service, tuned=True).meta.service_model.operation_model(name)
    waiting, seen = [model.input_shape, model.output_shape, *model.error_shapes], set()
    while waiting:
        shape = waiting.pop()
        if shape is None or shape.name in seen:
            continue
        seen.add(shape.name)
        waiting += [*getattr(shape, "members", {}).values()]
        waiting += [getattr(shape, part, None) for part in ("member", "key", "value")]


def test_what_no_kind_declares_is_no_method() -> None:
    client = _client("sqs", tuned=True)
    assert hasattr(client, "list_queues")
    assert not hasattr(client, "purge_queue")
    assert hasattr(_client("sqs", tuned=False), "purge_queue")
    # Botocore's own: it looks for a bucket that is not where it was thought to be.
    assert hasattr(_client("s3", tuned=True), "head_bucket")


@pytest.mark.parametrize("text", ['{"metadata": {}}', '{"operations": [], "shapes": {}}', "[]"])
def test_a_model_of_another_form_stays_whole(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "sqs" / "2012-11-05"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(text)
    assert models.Models({"sqs": {"ListQueues"}}).load_file(str(folder / "service-2")) == json.loads(text)


def test_services_are_found_alike() -> None:
    plain, tuned = (session._session.get_component("data_loader") for session in _sessions())
    assert tuned.list_available_services("service-2") == plain.list_available_services("service-2")
    with pytest.raises(exceptions.UnknownServiceError):
        tuned.load_service_model("no-such-service", "service-2")
    for kind in ("paginators-1", "waiters-2"):
        for service in plain.list_available_services("service-2"):
            found = []
            for loader in (plain, tuned):
                try:
                    found.append(loader.load_service_model(service, kind))
                except exceptions.DataNotFoundError:
                    found.append(None)
            assert found[0] == found[1], (service, kind)


def test_it_is_in_force() -> None:
    """Where botocore changes inside, this fails, and the measure is to be looked at again."""
    client = _client("sqs", tuned=True)
    assert _request("sqs:ListQueues", client) == _request("sqs:ListQueues", client)
    assert client._endpoint.http_session._setup_ssl_cert is fast._demand_certificate
    assert client._user_agent_creator.to_string() is client._user_agent_creator.to_string()
    assert type(client.meta.events) is fast._Events
    assert isinstance(_sessions()[1]._session.get_component("data_loader").file_loader, models.Models)


@pytest.mark.parametrize(
    "value",
    [
        1_700_000_000,
        1_700_000_000.25,
        "1700000000.5",
        -62_000_000_000,
        4e11,
        "2024-02-29T23:59:60Z",
        "2024-02-29T23:59:59Z",
        "2024-02-29T23:59:59.123Z",
        "2024-02-29T23:59:59.1234567Z",
        "2024-02-29T23:59:59+02:00",
        "2024-02-29T23:59:59",
        "2024-02-29",
        "Thu, 29 Feb 2024 23:59:59 GMT",
        "2024-02-30T00:00:00Z",
        "soon",
        "",
        None,
        float("inf"),
    ],
)
def test_a_time_is_the_moment_that_botocore_finds(value: Any) -> None:
    def moment(read: Callable[[Any], Any]) -> Any:
        try:
            found = read(value)
        except Exception as error:
            return type(error)
        return found.astimezone(datetime.UTC) if found.tzinfo else found

    assert moment(fast._time) == moment(parse_timestamp)


def test_times_and_handlers_are_in_force() -> None:
    client = _client("sqs", tuned=True)
    parser = client._endpoint._response_parser_factory.create_parser("json")
    assert parser._timestamp_parser is fast._time
    assert type(client.meta.events._emitter._handlers) is fast._Handlers


def _heard(**_: Any) -> None:
    """A handler."""


def test_a_clients_handlers_are_its_own() -> None:
    plain, tuned = (copy.copy(session.events) for session in _sessions())
    again = copy.copy(tuned)
    again.register("before-call.s3", _heard)
    names = (
        "before-call.s3.ListBuckets",
        "needs-retry.sqs.ListQueues",
        "docs.title.s3",
        "request-created.x.y",
    )
    found = [[events._emitter._handlers.prefix_search(name) for name in names] for events in (plain, tuned)]
    assert [len(handlers) for handlers in found[0]] == [len(handlers) for handlers in found[1]]
    assert _heard in again._emitter._handlers.prefix_search(names[0])
    assert _heard not in found[1][0]


def test_what_was_read_ahead_is_what_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "sqs" / "2012-11-05" / "waiters-2.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"version": 2}')
    files = models.Models({})
    files.read_ahead(file.with_suffix(""))
    file.unlink()
    assert files.load_file(str(file.with_suffix(""))) == {"version": 2}
    assert files.load_file(str(tmp_path / "sqs" / "2012-11-05" / "paginators-1")) is None


def test_an_event_is_called_as_botocore_calls_it() -> None:
    plain, tuned = (session.events for session in _sessions())
    forms = ("before-call.{}.ListThings", "{}", "docs.*.{}.x", "choose-signer.{}")
    for old in (*hooks.EVENT_ALIASES, "s3", "glue", "data", "iot"):
        for form in forms:
            name = form.format(old)
            assert tuned._alias_event_name(name) == plain._alias_event_name(name), name


def test_threads_switch_seldom_while_it_reads_and_as_before_after() -> None:
    before = sys.getswitchinterval()
    with fast.seldom_switched():
        assert sys.getswitchinterval() > before
    assert sys.getswitchinterval() == pytest.approx(before)


def test_a_botocore_of_another_make_is_left_alone() -> None:
    assert fast.in_region(types.SimpleNamespace(meta=None), "eu-west-1") is None
    other = types.SimpleNamespace(_endpoint=types.SimpleNamespace(http_session=object()))
    assert fast.tune_client(other) is other
    loader = types.SimpleNamespace(file_loader=object())
    session = types.SimpleNamespace(_session=types.SimpleNamespace(get_component=lambda _: loader))
    before = loader.file_loader
    fast.tune_session(session, {})
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


def test_what_is_known_of_a_model_ends_with_it() -> None:
    """A function of Lambda makes a session each run, in one process: a cache would keep them all."""
    model = boto3.session.Session(region_name="eu-west-1").client("lambda").meta.service_model
    operation = model.operation_model("ListFunctions")
    assert answers.fits(operation, b'{"Functions": [{"FunctionName": "f"}]}', {"Functions": [{}]})
    kept = weakref.ref(operation.output_shape)
    assert kept() is not None
    del model, operation
    gc.collect()
    assert kept() is None
