"""Every row held against botocore's own service model, which is the truth about shapes."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import jmespath
import pytest

from wa_audit.collect import kinds
from wa_audit.collect.kinds import Call, Kind
from wa_audit.relations import ROWS

_SESSION = botocore.session.get_session()
_CALLS = [pytest.param(kind, call, id=f"{kind.type} {call.operation}") for kind, call in kinds.declared()]


def _operation(kind: Kind, call: Call) -> Any:
    return _SESSION.get_service_model(kind.service).operation_model(call.operation)


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_parameters_exist_and_required_ones_are_given(kind: Kind, call: Call) -> None:
    shape = _operation(kind, call).input_shape
    members = set(shape.members) if shape else set()
    given = {*call.args, *call.params, *([call.token] if call.token else [])}
    assert given <= members
    assert set(shape.required_members if shape else ()) <= {*call.args, *call.params}


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_what_is_taken_stands_in_the_answer(kind: Kind, call: Call) -> None:
    """The first name of `take` is a member of the output, and kept fields are members of what it leads to."""
    output = _operation(kind, call).output_shape
    first = re.match(r"\W*(\w+)", call.take)
    if call.take.startswith("{"):
        named = set(re.findall(r"\w+: (\w+)", call.take))
        assert named <= set(output.members)
        return
    if call.take == "@":
        assert set(call.keep.split()) <= set(output.members)
        return
    assert first is not None
    assert first[1] in output.members
    if re.fullmatch(r"\w+", call.take) and call.keep and not call.into:
        shape = output.members[call.take]
        shape = shape.member if shape.type_name == "list" else shape
        if shape.type_name == "structure":
            assert set(call.keep.split()) <= set(shape.members)


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_expressions_are_jmespath(kind: Kind, call: Call) -> None:
    for expression in (call.take, call.when, call.next, *call.args.values()):
        if expression:
            jmespath.compile(expression)


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_every_operation_that_pages_is_paged(kind: Kind, call: Call) -> None:
    """An operation whose answer holds a token has a paginator in botocore, or says how it pages itself."""
    output = _operation(kind, call).output_shape
    tokens = {"NextToken", "nextToken", "Marker", "NextMarker", "ContinuationToken", "HasMoreDeliveryStreams"}
    if tokens & set(output.members):
        loader = _SESSION.get_component("data_loader")
        paged = loader.load_service_model(kind.service, "paginators-1")["pagination"]
        assert call.operation in paged or call.token


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_detail_calls_ask_only_for_what_came_before(kind: Kind, call: Call) -> None:
    """Arguments and conditions are read from the list, from an earlier call, or from the context."""
    if call is kind.list:
        return
    before = {"account", "region", "partition", "arn", *kind.list.fields}
    for earlier in kind.details[: kind.details.index(call)]:
        before |= set(earlier.fields)
    asked = {jmespath.compile(path).parsed["value"] for path in call.args.values()}
    assert asked <= before
    if call.when:
        from wa_audit.expressions import fields_of

        assert fields_of(call.when) <= before


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: kind.type)
def test_a_kind_names_its_fields_rightly(kind: Kind) -> None:
    names = {*kind.decode, *(path.split(".")[0].removesuffix("[]") for path in kind.secrets), *kind.scrub}
    assert names <= kind.fields
    placeholders = set(re.findall(r"\{(\w+)\}", kind.arn))
    assert placeholders <= {"partition", "account", "region", "name", *kind.list.fields}
    assert not kind.parent or kind.parent in kinds.by_type()
    assert all(call.fields for call in kind.details)


def test_no_type_or_operation_stands_twice() -> None:
    types = [kind.type for kind in kinds.all_kinds()]
    assert len(types) == len(set(types))
    for kind in kinds.all_kinds():
        operations = [call.operation for call in kind.details]
        assert len(operations) == len(set(operations))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type} {row.kind} {row.target}")
def test_every_relation_starts_from_a_field_that_is_read(row: Any) -> None:
    kind = kinds.by_type()[row.type]
    for path in filter(None, (row.target, row.source)):
        assert path.partition("|")[0].split(".")[0].removesuffix("[]") in kind.fields
