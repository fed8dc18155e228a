"""Every row held against botocore's own service model, which is the truth about shapes."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import jmespath
import pytest

from wa_audit.collect import kinds
from wa_audit.collect.kinds import Call, Kind
from wa_audit.expressions import fields_of
from wa_audit.relations import ROWS

_SESSION = botocore.session.get_session()
_CONTEXT = ("account", "region", "partition", "arn", "month_ago", "last_month", "this_month", "half_year_ago")
_CALLS = [pytest.param(kind, call, id=f"{kind.type} {call.operation}") for kind, call in kinds.declared()]


def _operation(kind: Kind, call: Call) -> Any:
    return _SESSION.get_service_model(call.service or kind.service).operation_model(call.operation)


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_parameters_exist_and_required_ones_are_given(kind: Kind, call: Call) -> None:
    shape = _operation(kind, call).input_shape
    members = set(shape.members) if shape else set()
    for more in call.each or ({},):
        given = {*call.args, *call.params, *more}
        assert given | ({call.token} if call.token else set()) <= members
        assert set(shape.required_members if shape else ()) <= given


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_what_is_taken_stands_in_the_answer(kind: Kind, call: Call) -> None:
    """What `take` begins with are members of the output, and kept fields are members of what it leads to."""
    output = _operation(kind, call).output_shape
    if call.take == "@":
        assert set(call.keep.split()) <= set(output.members)
        return
    looked_at = fields_of(call.take) | (fields_of(call.failures) if call.failures else set())
    assert looked_at
    assert looked_at <= set(output.members)
    if re.fullmatch(r"\w+", call.take) and call.keep and not call.into:
        shape = output.members[call.take]
        shape = shape.member if shape.type_name == "list" else shape
        if shape.type_name == "structure":
            assert set(call.keep.split()) <= set(shape.members)


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_expressions_are_jmespath(kind: Kind, call: Call) -> None:
    for expression in (call.take, call.when, call.next, call.failures, *call.args.values()):
        if expression:
            jmespath.compile(expression)
    for expression in (kind.name, *kind.project.values()):
        jmespath.compile(expression)


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_what_is_built_of_an_answer_is_what_is_kept(kind: Kind, call: Call) -> None:
    """Where `take` ends in a multi-select, it and `keep` name the same fields."""
    node = jmespath.compile(call.take).parsed if call.take else {}
    while node.get("type") in ("subexpression", "projection", "filter_projection", "pipe"):
        node = node["children"][1]
    if node.get("type") == "multi_select_dict" and call.keep:
        assert {pair["value"] for pair in node["children"]} == set(call.keep.split())


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_every_operation_that_pages_is_paged(kind: Kind, call: Call) -> None:
    """An operation whose answer holds a token has a paginator in botocore, or says how it pages itself."""
    output = _operation(kind, call).output_shape
    tokens = {
        "NextToken",
        "nextToken",
        "Marker",
        "NextMarker",
        "nextMarker",
        "NextPageToken",
        "ContinuationToken",
        "HasMoreDeliveryStreams",
    }
    if tokens & set(output.members):
        loader = _SESSION.get_component("data_loader")
        paged = loader.load_service_model(call.service or kind.service, "paginators-1")["pagination"]
        assert call.operation in paged or call.token
    else:
        assert not call.token
        assert not call.pages


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_detail_calls_ask_only_for_what_came_before(kind: Kind, call: Call) -> None:
    """Arguments and conditions are read from the list, from an earlier call, or from the context."""
    if call is kind.list:
        return
    before = {*_CONTEXT, *kind.listed, *(("name", "number") if call.metrics else ())}
    for earlier in kind.details[: kind.details.index(call)]:
        before |= set(earlier.fields)
    assert call.depends_on <= before


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: kind.type)
def test_no_field_comes_from_two_calls(kind: Kind) -> None:
    """Or else one call's refusal would be hidden, or told, by what the other gave."""
    filled = [*kind.listed, *(name for call in kind.details for name in call.fields)]
    assert {name for name in filled if filled.count(name) > 1} <= {kind.region}


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: kind.type)
def test_a_kind_that_inherits_has_a_parent_that_lists_it(kind: Kind) -> None:
    inherited = set(kind.inherits.split())
    if kind.parent:
        parent = kinds.by_type()[kind.parent]
        assert inherited <= parent.listed
        assert kind.list.depends_on <= {*_CONTEXT, *parent.listed}
        assert parent.scope == kind.scope
    else:
        assert not inherited
        assert kind.list.depends_on <= set(_CONTEXT)


# Whose models name no error for it, and where AWS, or who has met it, says so.
_UNMODELLED = {
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
    "cloudformation:ListStackResources": "ValidationError",
    # https://docs.aws.amazon.com/glue/latest/webapi/API_GetResourcePolicy.html
    "glue:GetResourcePolicies": "EntityNotFoundException",
    # https://github.com/hashicorp/terraform-provider-aws/pull/32323
    "quicksight:ListDataSets": "UnsupportedUserEditionException: is not subscribed",
    "quicksight:ListDataSources": "UnsupportedUserEditionException: is not subscribed",
}


@pytest.mark.parametrize(("kind", "call"), _CALLS)
def test_a_code_that_means_absent_or_gone_is_the_operations_own(kind: Kind, call: Call) -> None:
    """At least one of them: rows share what their service's operations say. S3's model names no errors."""
    declared = (*call.absent, *call.gone)
    if kind.operation(call) in _UNMODELLED:
        assert _UNMODELLED[kind.operation(call)] in declared
        return
    if not declared or kind.service in ("s3", "s3control"):
        return
    codes = {code.partition(": ")[0] for code in declared}
    shapes = _operation(kind, call).error_shapes
    known = {shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes}
    # What is reported within an answer is in no model.
    assert codes & known or call.failures


def test_only_cost_explorer_has_a_price() -> None:
    priced = {kind.operation(call): call.price for kind, call in kinds.declared() if call.price}
    assert set(priced.values()) == {0.01}
    assert {operation.partition(":")[0] for operation in priced} == {"ce"}
    assert all(call.price for kind, call in kinds.declared() if kind.service == "ce")


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: kind.type)
def test_a_kind_names_its_fields_rightly(kind: Kind) -> None:
    names = {*kind.decode, *kind.properties, *kind.project, *kind.scrub}
    names |= {path.split(".")[0].removesuffix("[]") for path in kind.secrets}
    names |= {path.split(".")[0].removesuffix("[]") for call in kind.calls for path in call.drop.split()}
    assert names <= kind.fields
    assert set(kind.project) <= set(kind.decode)
    placeholders = set(re.findall(r"\{(\w+)\}", kind.arn))
    assert placeholders <= {"partition", "account", "region", "name", *kind.listed}
    assert not {"partition", "account", "region"} & kind.listed
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
        field = path.partition("|")[0].split(".")[0].removesuffix("[]")
        assert field == "@" or field in kind.fields
