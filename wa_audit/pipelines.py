"""Pipelines: what belongs together because data flows through it.

A pipeline is a connected part of the data flow (`relations.FLOWS`), cut where a place is merely shared:

- What moves or works on data (ingestion, processing) joins everything that it touches.
- What keeps data (storage) joins its writers and its readers where data flows through it: where something
  that moves or works takes data out. Where nothing does, it belongs to the pipeline that fills it; where
  several fill it, it joins none of them and is *shared*. So a results bucket, a lake or a table that ten
  pipelines write to does not make one of them.
- A function that a stream or pipe has its records changed by gives them back: it joins nothing.
- What answers queries, a catalog, a bus, a topic that alarms use, and a bucket that serves for scratch, logs
  or code, never joins; nor does anything outside the account.

- Whoever tags resources with the name of a pipeline says that they belong together, joined or not.

No count decides, so that to remove an edge can part pipelines and never join them, and a resource that has
nothing to do with a flow changes nothing. What could not be read may hide an edge: `Pipeline.unread` says so.
docs/pipelines.md has the same with examples.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import msgspec

from wa_audit import graph
from wa_audit.aws import activity, arns
from wa_audit.inventory import Inventory
from wa_audit.layers import LAYERS, Layer
from wa_audit.model import ConfigurationError, Gap, Relation
from wa_audit.relations import FLOWS, gaps
from wa_audit.text import unknown

# Never join, whatever flows through them.
_ROADS = frozenset({"AWS::Events::EventBus", "AWS::Glue::Crawler", "AWS::Glue::Database", "AWS::Glue::Table"})
# Alone, these tell somebody something; that is no pipeline.
_TELLERS = frozenset(
    {"AWS::Events::Rule", "AWS::SNS::Topic", "AWS::Scheduler::Schedule", "AWS::Events::EventBus"}
)
_SERVING = ("scratches-in", "logs-to", "runs-code-from")


class State(StrEnum):
    """Whether a node of a flow was found."""

    FOUND = "found"
    OUTSIDE = "outside"
    DANGLING = "dangling"
    UNREAD = "unread"


class Node(NamedTuple):
    """Something in a flow: by ARN, or by URI where it has none."""

    id: str
    type: str
    name: str
    region: str
    layer: Layer
    state: State


class Edge(NamedTuple):
    """Data, or the news of it, moves from `source` to `target`, as `relation` says; the relation's own
    direction may be the other."""

    source: str
    target: str
    relation: Relation


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline. Everything is sorted; `members` and `shared` are nodes' ids.

    named_by:     `tag`, `stack`, `workflow` or `root`.
    shared:       what it uses together with other pipelines.
    support:      what serves its members alone: event source mappings, subscriptions, dead-letter queues,
                  roles, alarms.
    triggers:     how it is set off: `stream`, `event`, `schedule`, `on demand`.
    entries:      members that nothing within the pipeline leads to.
    downstream:   by member, how many others receive nothing more when it stops.
    loops:        members from which data comes back to them, loop by loop.
    unread:       what could not be read and might have shown more of it.
    """

    name: str
    named_by: str
    members: list[str]
    shared: list[str]
    support: list[str]
    edges: list[Edge]
    triggers: list[str]
    entries: list[str]
    downstream: dict[str, int]
    loops: list[list[str]]
    unread: list[Gap]

    @property
    def reach(self) -> set[str]:
        """All that its score counts: members, what it shares, and what serves it."""
        return {*self.members, *self.shared, *self.support}


class Flow:
    """The data flow of an inventory with its relations, and the pipelines in it."""

    def __init__(self, inventory: Inventory, *, tag: str = "pipeline") -> None:
        self._inventory = inventory
        self._tag = tag
        self.edges = sorted(_edges(inventory))
        self._into: dict[str, list[Edge]] = defaultdict(list)
        self._out_of: dict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            self._out_of[edge.source].append(edge)
            self._into[edge.target].append(edge)
        ids = sorted({*self._out_of, *self._into})
        self.nodes = {id_: _node(id_, inventory) for id_ in ids}

    def into(self, id_: str) -> list[Edge]:
        return self._into.get(id_, [])

    def out_of(self, id_: str) -> list[Edge]:
        return self._out_of.get(id_, [])

    @cached_property
    def pipelines(self) -> list[Pipeline]:
        """Every pipeline, by name."""
        parts, owners = self._parts()
        attached: dict[int, set[str]] = defaultdict(set)
        shared: dict[int, set[str]] = defaultdict(set)
        for id_, parts_of in owners.items():
            for part in parts_of:
                (attached if len(parts_of) == 1 else shared)[part].add(id_)
        found = []
        for part, joined in parts.items():
            members = joined | attached[part]
            if self._is_pipeline(members, shared[part]):
                found.append((members, shared[part]))
        served = self._support([members for members, _ in found])
        made = [self._describe(members, more, served[n]) for n, (members, more) in enumerate(found)]
        return sorted(_told_apart(made), key=lambda pipeline: pipeline.name)

    def only(self, name: str) -> Flow:
        """The same flow with one pipeline alone.

        Raises:
            ConfigurationError: there is none of this name; says what may have been meant.
        """
        found = [pipeline for pipeline in self.pipelines if pipeline.name == name]
        if not found:
            raise ConfigurationError(unknown("pipeline", name, [p.name for p in self.pipelines]))
        one = copy.copy(self)
        one.__dict__ |= {"pipelines": found, "unassigned": []}
        return one

    @cached_property
    def unassigned(self) -> list[str]:
        """Resources of the flow's types that were read and belong to no pipeline, sorted."""
        taken: set[str] = set().union(*(p.reach for p in self.pipelines))
        return sorted(r.arn for r in self._inventory if r.type in LAYERS and r.arn not in taken)

    def by_member(self) -> dict[str, list[Pipeline]]:
        """The pipelines that each member, shared place or supporting resource belongs to."""
        found: dict[str, list[Pipeline]] = defaultdict(list)
        for pipeline in self.pipelines:
            for id_ in pipeline.reach:
                found[id_].append(pipeline)
        return found

    # -- what belongs together -------------------------------------------------------------------------

    def _parts(self) -> tuple[dict[int, set[str]], dict[str, set[int]]]:
        """The joined nodes of each part, and of each node that joins nothing the parts that fill it."""
        joins = {id_ for id_ in self.nodes if self._joins(id_)}
        sets = graph.Sets(joins)
        for edge in self.edges:
            lent = edge.relation.kind == "transforms-with"
            if edge.source in joins and edge.target in joins and not lent:
                sets.join(edge.source, edge.target)
        tagged: dict[str, str] = {}
        for id_ in sorted(joins):
            if name := self._tag_of(id_):
                sets.join(id_, tagged.setdefault(name, id_))
        parts: dict[int, set[str]] = defaultdict(set)
        numbers: dict[str, int] = {}
        for id_ in sorted(joins):
            number = numbers.setdefault(sets.root(id_), len(numbers))
            parts[number].add(id_)
        owners: dict[str, set[int]] = {}
        of = {id_: number for number, ids in parts.items() for id_ in ids}
        for id_ in self.nodes:
            if id_ not in joins:
                owners[id_] = self._owners(id_, of)
        return dict(parts), owners

    def _tag_of(self, id_: str) -> str:
        """The pipeline that a resource's tag names; empty where it bears none, or nobody has read it."""
        return str(self._inventory.known_tags(id_).get(self._tag) or "")

    def _joins(self, id_: str) -> bool:
        node = self.nodes[id_]
        if node.state is State.OUTSIDE or node.type in _ROADS or self._serves(id_):
            return False
        if node.layer in (Layer.INGESTION, Layer.PROCESSING):
            around = [*self.into(id_), *self.out_of(id_)]
            return any(edge.relation.kind != "transforms-with" for edge in around)
        return node.layer is Layer.STORAGE and any(self._takes(edge.target) for edge in self.out_of(id_))

    def _takes(self, id_: str) -> bool:
        """Whether a node takes data out of a place to move it or work on it."""
        node = self.nodes[id_]
        return node.layer in (Layer.INGESTION, Layer.PROCESSING) and node.type not in _ROADS

    def _serves(self, id_: str) -> bool:
        """Whether a bucket is scratch, log or code alone, or a topic is one that alarms use."""
        known = self._inventory.known_sources
        node = self.nodes[id_]
        if node.type == "AWS::S3::Bucket":
            holds = known(id_, "lies-in") or self._tells(id_)
            return not holds and any(known(id_, kind) for kind in _SERVING)
        return node.type == "AWS::SNS::Topic" and bool(known(id_, "notifies"))

    def _tells(self, id_: str) -> bool:
        return any(edge.relation.kind == "triggers" for edge in self.out_of(id_))

    def _owners(self, id_: str, part_of: Mapping[str, int]) -> set[int]:
        """The parts whose data ends up in a node that joins nothing, through others of its sort if need be;
        where none fills it, those that it is read by."""
        for step in (self._before, self._after):
            found: set[int] = set()
            seen, open_ = {id_}, [id_]
            while open_:
                for other in step(open_.pop()):
                    if other in part_of:
                        found.add(part_of[other])
                    elif other not in seen:
                        seen.add(other)
                        open_.append(other)
            if found:
                return found
        return set()

    def _before(self, id_: str) -> Iterator[str]:
        return (edge.source for edge in self.into(id_))

    def _after(self, id_: str) -> Iterator[str]:
        return (edge.target for edge in self.out_of(id_))

    def _is_pipeline(self, members: set[str], shared: set[str]) -> bool:
        """Whether something that moves or works on data takes it somewhere, or has it from somewhere."""
        found = [self.nodes[id_] for id_ in members if self.nodes[id_].state is State.FOUND]
        works = any(self._takes(node.id) and node.type not in _TELLERS for node in found)
        return works and len(members) + len(shared) > 1

    def _support(self, parts: Sequence[set[str]]) -> list[list[str]]:
        """By part, what serves its members and no other's."""
        part_of = {id_: number for number, members in enumerate(parts) for id_ in members}
        users: dict[str, set[int]] = defaultdict(set)
        for edge in self.edges:
            if edge.relation.via not in (edge.source, edge.target) and edge.target in part_of:
                users[edge.relation.via].add(part_of[edge.target])
        for id_, number in part_of.items():
            for kind in ("dead-letters-to", "runs-as"):
                for relation in self._inventory.known_targets(id_, kind):
                    users[relation.target].add(number)
            for kind in ("watches", "told-of"):
                for relation in self._inventory.known_sources(id_, kind):
                    users[relation.source].add(number)
        for via in [id_ for id_ in users if id_ not in part_of]:
            for relation in self._inventory.known_targets(via, "dead-letters-to"):
                users[relation.target] |= users[via]
        found: list[list[str]] = [[] for _ in parts]
        for id_, numbers in users.items():
            if len(numbers) == 1 and id_ not in part_of and self._inventory.get(id_) is not None:
                found[next(iter(numbers))].append(id_)
        return [sorted(ids) for ids in found]

    # -- what is said of each --------------------------------------------------------------------------

    def _describe(self, members: set[str], shared: set[str], support: list[str]) -> Pipeline:
        inside = {*members, *shared}
        edges = [e for id_ in sorted(inside) for e in self.out_of(id_) if e.target in inside]
        edges = [e for e in edges if e.source in members or e.target in members]
        after: dict[str, set[str]] = {id_: set() for id_ in inside}
        for edge in edges:
            after[edge.source].add(edge.target)
        components = graph.components_of(after)
        loops = graph.loops(after, components)
        downstream = graph.downstream(after, components)
        entries = self._entries(members, edges, loops)
        name, named_by = self._name(members, entries, after, downstream)
        return Pipeline(
            name=name,
            named_by=named_by,
            members=sorted(members),
            shared=sorted(shared),
            support=support,
            edges=edges,
            triggers=sorted({how for id_ in entries for how in self._set_off(id_)}),
            entries=entries,
            downstream=downstream,
            loops=loops,
            unread=self._unread(inside),
        )

    def _entries(self, members: set[str], edges: Iterable[Edge], loops: list[list[str]]) -> list[str]:
        """What nothing leads to; of a loop that nothing leads to, its first."""
        loop_of = {id_: n for n, loop in enumerate(loops) for id_ in loop}
        led_to, entered = set(), set()
        for edge in edges:
            loop = loop_of.get(edge.target)
            if loop is None:
                led_to.add(edge.target)
            elif loop_of.get(edge.source) != loop:
                entered.add(loop)
        first = {n: loop[0] for n, loop in enumerate(loops) if n not in entered}
        return sorted(
            id_
            for id_ in members
            if (first.get(loop_of[id_]) == id_ if id_ in loop_of else id_ not in led_to)
        )

    def _set_off(self, id_: str) -> Iterator[str]:
        node, resource = self.nodes[id_], self._inventory.get(id_)
        data = resource.data if resource else {}
        if node.type == "AWS::Glue::Workflow":
            # It starts as those of its triggers do that wait for no job of its own.
            first = [e.target for e in self.out_of(id_) if len(self.into(e.target)) == 1]
            yield from (how for trigger in first for how in self._set_off(trigger))
            return
        scheduled = data.get("ScheduleExpression") or data.get("Schedule") or data.get("Type") == "SCHEDULED"
        if scheduled:
            yield "schedule"
        elif node.type in _STREAMS or node.id.startswith("kafka://"):
            yield "stream"
        elif node.type in _EVENTS:
            yield "event"
        elif node.layer is Layer.STORAGE and self._tells(id_):
            yield "stream" if node.type == "AWS::DynamoDB::Table" else "event"
        elif node.layer in (Layer.INGESTION, Layer.PROCESSING):
            yield "on demand"
        elif node.layer is Layer.SOURCE:
            # A source waits to be read; what reads it may be set off by something else.
            readers = [edge.target for edge in self.out_of(id_) if self._takes(edge.target)]
            yield from (
                how for reader in readers if not self._is_called(reader) for how in self._set_off(reader)
            )

    def _is_called(self, id_: str) -> bool:
        return any(edge.relation.kind in ("triggers", "starts") for edge in self.into(id_))

    def _name(
        self,
        members: set[str],
        entries: list[str],
        after: Mapping[str, set[str]],
        downstream: Mapping[str, int],
    ) -> tuple[str, str]:
        """By tag, by stack, by workflow, or by the entry that leads furthest; see docs/pipelines.md."""
        tags: Counter[str] = Counter()
        stacks: Counter[str] = Counter()
        for id_ in members:
            if tag := self._tag_of(id_):
                tags[tag] += 1
            for relation in self._inventory.known_sources(id_, "builds"):
                stacks[relation.source] += 1
        if tags:
            return _commonest(tags), "tag"
        built = stacks and stacks[_commonest(stacks)] * 2 >= len(members)
        if built and (stack := self._inventory.get(_commonest(stacks))):
            return stack.name, "stack"
        for type_ in ("AWS::Glue::Workflow", "AWS::StepFunctions::StateMachine"):
            flows = [id_ for id_ in sorted(members) if self.nodes[id_].type == type_]
            if flows:
                started = {target for id_ in flows for target in after[id_]}
                outer = [id_ for id_ in flows if id_ not in started] or flows
                return self.nodes[outer[0]].name, "workflow"
        roots = [id_ for id_ in entries if self._names(id_)] or [id_ for id_ in members if self._names(id_)]
        teller = {id_: self.nodes[id_].type in _TELLERS for id_ in roots}
        root = min(roots, key=lambda id_: (-downstream[id_], teller[id_], id_))
        return self.nodes[root].name, "root"

    def _names(self, id_: str) -> bool:
        """Whether a pipeline can bear its name: it is the account's own, and more than a way in."""
        return self.nodes[id_].state is State.FOUND and self.nodes[id_].layer is not Layer.SOURCE

    def _unread(self, inside: set[str]) -> list[Gap]:
        """What is missing and may hide an edge: of one of these, or a list in a region of theirs."""
        regions = {node.region for node in map(self.nodes.__getitem__, inside) if node.region}
        return [
            gap
            for gap in self._flow_gaps
            if (gap.arn in inside if gap.arn else not gap.region or not regions or gap.region in regions)
        ]

    @cached_property
    def _flow_gaps(self) -> list[Gap]:
        return gaps(self._inventory, frozenset(FLOWS))


_STREAMS = frozenset({"AWS::Kinesis::Stream", "AWS::MSK::Cluster", "AWS::KinesisFirehose::DeliveryStream"})
_EVENTS = frozenset(
    {
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::IoT::TopicRule",
        "AWS::Pipes::Pipe",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)


def of(inventory: Inventory, *, tag: str = "pipeline") -> Flow:
    """The flow of an inventory with its relations, made once for each tag."""
    flow: Flow = inventory.derived(f"flow by {tag}", lambda: Flow(inventory, tag=tag))
    return flow


def _edges(inventory: Inventory) -> Iterator[Edge]:
    for relation in inventory.relations_of(FLOWS):
        direction = FLOWS[relation.kind]
        back = direction < 0 or (direction == 0 and _reads(relation, inventory))
        ends = (relation.target, relation.source) if back else (relation.source, relation.target)
        yield Edge(*ends, relation)


def _reads(relation: Relation, inventory: Inventory) -> bool:
    """Whether what is named is more often read than written: what a connection leads to, which is somebody
    else's, and the stream of a streaming job."""
    used = arns.type_of(relation.target)
    if used in ("AWS::Kinesis::Stream", "AWS::MSK::Cluster"):
        user = inventory.get(relation.source)
        command = user.data.get("Command") if user and user.type == "AWS::Glue::Job" else None
        return isinstance(command, dict) and activity.is_streaming(command)
    return used == "AWS::Glue::Connection"


def _node(id_: str, inventory: Inventory) -> Node:
    resource = inventory.get(id_)
    if resource is not None:
        layer = LAYERS.get(resource.type, Layer.PROCESSING)
        return Node(id_, resource.type, resource.name, resource.region, layer, State.FOUND)
    arn, type_ = arns.parse(id_), arns.type_of(id_)
    if not arn.service:
        return Node(id_, "", id_, "", Layer.SOURCE, State.OUTSIDE)
    layer = LAYERS.get(type_, Layer.PROCESSING)
    return Node(id_, type_, arn.name, arn.region, layer, _state(type_, arn, inventory))


def _state(type_: str, arn: arns.Arn, inventory: Inventory) -> State:
    run = inventory.run
    elsewhere = arn.account not in ("", "aws", run.account) or arn.region not in ("", *run.regions)
    if elsewhere or not type_:
        return State.OUTSIDE
    unlisted = [gap for gap in inventory.list_gaps(type_) if gap.region in ("", arn.region) or not arn.region]
    if unlisted:
        return State.UNREAD
    # Nobody knows whose a bucket is that this account does not have.
    return State.OUTSIDE if type_ == "AWS::S3::Bucket" else State.DANGLING


def _commonest(counted: Counter[str]) -> str:
    return min(counted, key=lambda name: (-counted[name], name))


def _told_apart(pipelines: list[Pipeline]) -> Iterator[Pipeline]:
    """The pipelines, no two of one name: the second is `orders-2`, in the order of their members."""
    taken: set[str] = set()
    for pipeline in sorted(pipelines, key=lambda p: (p.name, p.members)):
        name, number = pipeline.name, 1
        while name in taken:
            number += 1
            name = f"{pipeline.name}-{number}"
        taken.add(name)
        yield msgspec.structs.replace(pipeline, name=name)
