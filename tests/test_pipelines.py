"""Pipelines: what no change of the inventory may do to them, how they are named, set off and cut."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.relations.test_accounts import ACCOUNTS, RUN, build, members
from tests.rules.cases import deny, resource
from wa_audit import pipelines
from wa_audit.inventory import Inventory
from wa_audit.model import ConfigurationError, Relation, Resource
from wa_audit.pipelines import Flow, Pipeline
from wa_audit.relations import relate

_PLACE = "eu-west-1:123456789012"
_TYPES = {
    "q": ("AWS::SQS::Queue", f"arn:aws:sqs:{_PLACE}:q{{}}"),
    "f": ("AWS::Lambda::Function", f"arn:aws:lambda:{_PLACE}:function:f{{}}"),
    "b": ("AWS::S3::Bucket", "arn:aws:s3:::b{}"),
    "t": ("AWS::Glue::Table", f"arn:aws:glue:{_PLACE}:table/d/t{{}}"),
    "w": ("AWS::Athena::WorkGroup", f"arn:aws:athena:{_PLACE}:workgroup/w{{}}"),
    "n": ("AWS::SNS::Topic", f"arn:aws:sns:{_PLACE}:n{{}}"),
}
_NODES = [f"{kind}{number}" for kind in _TYPES for number in range(3)]
_KINDS = ["triggers", "delivers-to", "uses", "reads-from", "lies-in", "transforms-with", "scratches-in"]
_RELATIONS = st.lists(
    st.tuples(st.sampled_from(_NODES), st.sampled_from(_KINDS), st.sampled_from(_NODES)), max_size=14
)


def _arn(node: str) -> str:
    return _TYPES[node[0]][1].format(node[1:])


def _resources(nodes: list[str]) -> list[Resource]:
    return [
        Resource(type=_TYPES[n[0]][0], arn=_arn(n), name=n, account=RUN.account, region="eu-west-1")
        for n in nodes
    ]


def _flow(triples: list[tuple[str, str, str]], nodes: list[str] = _NODES) -> Flow:
    relations = [Relation(_arn(a), kind, _arn(b), _arn(a), "Field") for a, kind, b in triples]
    return Flow(Inventory(RUN, _resources(nodes)).with_relations(set(relations), {}))


def _memberships(flow: Flow) -> set[frozenset[str]]:
    return {frozenset(p.members) for p in flow.pipelines}


def _together(flow: Flow) -> set[frozenset[str]]:
    """The pairs of what is joined."""
    parts, _ = flow._parts()
    return {frozenset({a, b}) for ids in parts.values() for a in ids for b in ids if a < b}


# -- what must hold whatever the account ---------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(_RELATIONS, st.randoms(use_true_random=False))
def test_the_order_of_the_inventory_changes_nothing(
    triples: list[tuple[str, str, str]], chance: random.Random
) -> None:
    shuffled, nodes = list(triples), list(_NODES)
    chance.shuffle(shuffled)
    chance.shuffle(nodes)
    assert _flow(shuffled, nodes).pipelines == _flow(triples).pipelines


@settings(max_examples=150, deadline=None)
@given(_RELATIONS)
def test_an_unrelated_resource_changes_no_pipeline(triples: list[tuple[str, str, str]]) -> None:
    alone = [node for node in _NODES if not any(node in (a, b) for a, _, b in triples)]
    kept = [node for node in _NODES if node not in alone]
    assert _flow(triples).pipelines == _flow(triples, kept).pipelines


@settings(max_examples=200, deadline=None)
@given(_RELATIONS)
def test_removing_an_edge_of_the_flow_never_joins_what_was_apart(triples: list[tuple[str, str, str]]) -> None:
    """A relation that is no flow, a scratch bucket's, may well: it is what kept it apart."""
    whole = _together(_flow(triples))
    for number, (_, kind, _) in enumerate(triples):
        if kind not in ("scratches-in", "lies-in"):
            assert _together(_flow(triples[:number] + triples[number + 1 :])) <= whole


@settings(max_examples=100, deadline=None)
@given(_RELATIONS)
def test_every_member_belongs_to_one_pipeline_and_every_edge_lies_within(
    triples: list[tuple[str, str, str]],
) -> None:
    found = _flow(triples).pipelines
    owned = [id_ for pipeline in found for id_ in pipeline.members]
    assert len(owned) == len(set(owned))
    assert len({pipeline.name for pipeline in found}) == len(found)
    for pipeline in found:
        inside = {*pipeline.members, *pipeline.shared}
        assert all({edge.source, edge.target} <= inside for edge in pipeline.edges)
        assert set(pipeline.entries) <= set(pipeline.members)
        assert set(pipeline.downstream) == inside


@pytest.mark.parametrize("account", ACCOUNTS, ids=[account["account"] for account in ACCOUNTS])
def test_a_refused_call_makes_a_pipeline_uncertain_and_never_silently_smaller(
    account: dict[str, Any],
) -> None:
    """Of the labelled accounts, each list that a resource stands on is refused in turn."""
    whole = {frozenset(p.members) for p in pipelines.of(build(account)).pipelines}
    for type_ in sorted({row["type"] for row in account["resources"]}):
        resources = [resource(row["type"], row, RUN) for row in account["resources"]]
        operation = _list_of(type_)
        gaps = deny(operation, resources)
        left = relate(Inventory(RUN, [r for r in resources if r.type not in {g.type for g in gaps}], gaps))
        for pipeline in pipelines.of(left).pipelines:
            known = frozenset(pipeline.members) in whole
            assert known or pipeline.unread, f"{operation} refused: {pipeline.name} looks whole"


def _list_of(type_: str) -> str:
    from wa_audit.collect.kinds import by_type

    kind = by_type()[type_]
    return kind.operation(kind.list)


# -- names, triggers, loops, reach ---------------------------------------------------------------------


def _one(account: str) -> Pipeline:
    found = pipelines.of(build(next(a for a in ACCOUNTS if a["account"] == account))).pipelines
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("account", "named_by"),
    [
        ("tags say what belongs to which pipeline, and nothing flows through a lone bucket", "tag"),
        ("what stacks build, lakes govern and backups keep", "stack"),
        ("nightly batch by a Glue workflow", "workflow"),
        ("clickstream to a lake, by Firehose", "root"),
    ],
)
def test_a_pipeline_is_named_by_the_best_that_there_is(account: str, named_by: str) -> None:
    assert _one(account).named_by == named_by


@pytest.mark.parametrize(
    ("account", "triggers"),
    [
        ("clickstream to a lake, by Firehose", ["stream"]),
        ("objects that land start a function, which fills a table", ["event"]),
        ("nightly batch by a Glue workflow", ["schedule"]),
        ("a state machine that runs Glue, writes to a table, and tells of it", ["schedule"]),
        ("a table's stream feeds a search domain, and the table is global", ["stream"]),
        ("EMR batch with logs, and scratch by Glue", ["on demand"]),
        ("files from on premises by DataSync", ["schedule"]),
        ("a streaming job reads the stream that its settings name, and fills a bucket", ["stream"]),
    ],
)
def test_it_is_known_how_a_pipeline_is_set_off(account: str, triggers: list[str]) -> None:
    assert _one(account).triggers == triggers


def test_what_stops_when_this_stops() -> None:
    pipeline = _one("a topic fans out to queues, each with a worker and a dead-letter queue")
    reach = {id_.rpartition(":")[2]: count for id_, count in pipeline.downstream.items()}
    assert reach == {"events": 4, "billing": 1, "shipping": 1, "bill": 0, "ship": 0}
    assert [id_.rpartition(":")[2] for id_ in pipeline.entries] == ["events"]


def test_a_loop_is_told_and_its_first_is_where_it_is_entered() -> None:
    pipeline = _one("a function that is set off by the bucket that it writes to")
    assert [[id_.rpartition(":")[2] for id_ in loop] for loop in pipeline.loops] == [["resize", "images"]]
    assert len(pipeline.entries) == 1


def test_what_serves_one_pipeline_alone_is_its_own() -> None:
    pipeline = _one("a topic fans out to queues, each with a worker and a dead-letter queue")
    assert {id_.rpartition(":")[2] for id_ in pipeline.support} == {"1", "2", "m1", "m2", "billing-dlq"}


def test_what_bears_the_same_tag_belongs_together_whatever_joins_it() -> None:
    rows = [
        {"type": "AWS::SQS::Queue", "name": name, "tags": {"pipeline": "same"}} for name in ("one", "two")
    ]
    rows += [{"type": "AWS::Lambda::Function", "name": name} for name in ("f1", "f2")]
    rows += [
        {
            "type": "AWS::Lambda::EventSourceMapping",
            "name": name,
            "data": {
                "EventSourceArn": f"arn:aws:sqs:{_PLACE}:{queue}",
                "FunctionArn": f"arn:aws:lambda:{_PLACE}:function:{function}",
            },
        }
        for name, queue, function in (("m1", "one", "f1"), ("m2", "two", "f2"))
    ]
    (pipeline,) = pipelines.of(build({"resources": rows})).pipelines
    assert pipeline.name == "same"
    assert {id_.rpartition(":")[2] for id_ in pipeline.members} == {"one", "two", "f1", "f2"}


def test_two_of_one_name_are_told_apart() -> None:
    """A queue and a stream of one name, each with a function."""
    sources = (
        ("AWS::SQS::Queue", f"arn:aws:sqs:{_PLACE}:in"),
        ("AWS::Kinesis::Stream", f"arn:aws:kinesis:{_PLACE}:stream/in"),
    )
    rows: list[dict[str, Any]] = []
    for number, (type_, arn) in enumerate(sources):
        function = f"arn:aws:lambda:{_PLACE}:function:f{number}"
        mapping = {"EventSourceArn": arn, "FunctionArn": function}
        rows.append({"type": type_, "name": "in"})
        rows.append({"type": "AWS::Lambda::Function", "name": f"f{number}"})
        rows.append({"type": "AWS::Lambda::EventSourceMapping", "name": f"m{number}", "data": mapping})
    assert set(members(build({"resources": rows}))) == {"in", "in-2"}


def test_another_tag_can_name_pipelines() -> None:
    account = next(a for a in ACCOUNTS if a["account"].startswith("tags say"))
    (pipeline,) = pipelines.of(build(account), tag="no-such-tag").pipelines
    assert (pipeline.name, pipeline.named_by) == ("s", "root")


def test_an_unknown_pipeline_is_refused_with_what_may_have_been_meant() -> None:
    flow = pipelines.of(build(ACCOUNTS[0]))
    assert [p.name for p in flow.only("clicks").pipelines] == ["clicks"]
    with pytest.raises(ConfigurationError, match="did you mean 'clicks'"):
        flow.only("click")


def test_what_belongs_to_none_is_listed() -> None:
    account = next(a for a in ACCOUNTS if a["account"].startswith("tags say"))
    flow = pipelines.of(build(account))
    assert [id_.rpartition(":")[2] for id_ in flow.unassigned] == ["job/idle", "lonely"]
