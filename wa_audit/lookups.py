"""What many checks ask of all alarms, rules or mappings, looked up rather than gone through.

Each check is asked of one resource; did each of them go through all the others, the work would grow with the
square of the account. An index is made once an inventory, and hands over those that may be meant, in the
inventory's order: whoever asks still looks at each. What could not be read is always handed over, so that it
raises `Unread` where it did before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from wa_audit.aws import alarms, states
from wa_audit.inventory import Inventory
from wa_audit.model import Resource, Unread


class _Index(NamedTuple):
    """Resources, with their place in the inventory, by what tells them apart; `loose` may always be meant."""

    keyed: dict[tuple[object, ...], list[tuple[int, Resource]]]
    loose: list[tuple[int, Resource]]

    def under(self, keys: Iterable[tuple[object, ...]]) -> list[Resource]:
        found = dict(self.loose)
        for key in keys:
            found.update(self.keyed.get(key, ()))
        return [found[place] for place in sorted(found)]


# -- alarms ----------------------------------------------------------------------------------------


def alarms_on(
    region: str,
    inventory: Inventory,
    namespace: str,
    names: Collection[str],
    dimensions: Mapping[str, str],
) -> list[Resource]:
    """The alarms of a region that watch one of these metrics of the resource with these dimensions.

    Raises:
        Unread: the alarms of the region could not be listed.
    """
    found = inventory.of("AWS::CloudWatch::Alarm", region=region)
    index: _Index = inventory.derived(f"alarms of {region} by metric", lambda: _alarms(found))
    pair = next(iter(dimensions.items()), None)
    if pair is None:
        meant = found
    else:
        meant = index.under(key for name in names for key in ((namespace, name), (namespace, name, *pair)))
    return [alarm for alarm in meant if alarms.watches(alarm, namespace, names, dimensions)]


def _alarms(found: list[Resource]) -> _Index:
    """By metric and each of its dimensions; queries, and what has no dimensions, by the metric alone."""
    index = _Index(defaultdict(list), [])
    for place, alarm in enumerate(found):
        try:
            watched = alarms.metrics(alarm)
        except Unread:
            index.loose.append((place, alarm))
            continue
        for metric in watched:
            if metric.query or not metric.dimensions:
                index.keyed[metric.namespace, metric.name].append((place, alarm))
            for pair in metric.dimensions.items():
                index.keyed[metric.namespace, metric.name, *pair].append((place, alarm))
    return index


# -- event rules -----------------------------------------------------------------------------------

# Fields that name one resource in the events of its service:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events.html
_NAMING = ("jobName", "stateMachineArn", "crawlerName", "clusterId", "workgroupName")


def rules_for(region: str, events: Iterable[Mapping[str, Any]], inventory: Inventory) -> list[Resource]:
    """The event rules of a region whose patterns may match one of these events.

    Raises:
        Unread: the rules of the region could not be listed.
    """
    found = inventory.of("AWS::Events::Rule", region=region)
    index: _Index = inventory.derived(f"event rules of {region} by resource", lambda: _rules(found))
    lengths: set[int] = inventory.derived(f"lengths of beginnings in {region}", lambda: _lengths(index))
    return index.under(key for event in events for key in _told_of(event, lengths))


_BEGINS = "^"


def _lengths(index: _Index) -> set[int]:
    return {len(str(key[1])) for key in index.keyed if str(key[0]).endswith(_BEGINS)}


def _told_of(event: Mapping[str, Any], lengths: Iterable[int]) -> Iterator[tuple[object, ...]]:
    yield "source", event.get("source")
    for field, value in (event.get("detail") or {}).items():
        if field in _NAMING:
            yield field, value
            yield from ((field + _BEGINS, str(value)[:length]) for length in lengths)


def _rules(found: list[Resource]) -> _Index:
    """By the resources that a pattern names, in full or by how they begin, or else by the sources."""
    index = _Index(defaultdict(list), [])
    for place, rule in enumerate(found):
        try:
            named = _named(rule["EventPattern"])
        except Unread:
            named = None
        if named is None:
            index.loose.append((place, rule))
        for key in named or ():
            index.keyed[key].append((place, rule))
    return index


def _named(pattern: object) -> list[tuple[object, ...]] | None:
    """The pairs of field and value of which an event must have one; None where any event may do."""
    if not isinstance(pattern, Mapping):
        return None
    detail = pattern.get("detail")
    wanted = [(field, detail.get(field)) for field in _NAMING] if isinstance(detail, Mapping) else []
    for field, values in (*wanted, ("source", pattern.get("source"))):
        keys = [_key(field, value) for value in values] if isinstance(values, list) else [None]
        if None not in keys:
            return [key for key in keys if key]
    return None


def _key(field: str, matcher: object) -> tuple[object, ...] | None:
    if isinstance(matcher, str):
        return field, matcher
    begins = matcher.get("prefix") if isinstance(matcher, Mapping) and field in _NAMING else None
    return (field + _BEGINS, begins) if isinstance(begins, str) else None


def rules_to(target: Resource, inventory: Inventory) -> list[Resource]:
    """The event rules of a resource's region that have it as a target.

    Raises:
        Unread: the rules of the region could not be listed.
    """
    found = inventory.of("AWS::Events::Rule", region=target.region)
    index: _Index = inventory.derived(f"event rules of {target.region} by target", lambda: _targets(found))
    return index.under([(target.arn,)])


def _targets(found: list[Resource]) -> _Index:
    index = _Index(defaultdict(list), [])
    for place, rule in enumerate(found):
        try:
            arns = {row["Arn"] for row in rule["Targets"] or ()}
        except Unread:
            index.loose.append((place, rule))
            continue
        for arn in arns:
            index.keyed[(arn,)].append((place, rule))
    return index


# -- state machines --------------------------------------------------------------------------------


def machines_on(reference: states.Reference, region: str, inventory: Inventory) -> list[Resource]:
    """The state machines of a region a Task of which may name this job, queue, …

    Raises:
        Unread: the state machines of the region could not be listed.
    """
    found = inventory.of("AWS::StepFunctions::StateMachine", region=region)
    index: _Index = inventory.derived(f"state machines of {region} by reference", lambda: _machines(found))
    return index.under([(reference,)])


def _machines(found: list[Resource]) -> _Index:
    index = _Index(defaultdict(list), [])
    for place, machine in enumerate(found):
        try:
            tasks = states.tasks(machine["definition"])
        except Unread:
            index.loose.append((place, machine))
            continue
        for reference in {named for task in tasks for named in states.integration(task).references}:
            index.keyed[(reference,)].append((place, machine))
    return index


# -- what starts, and what is read by ---------------------------------------------------------------


def mappings_of(source: Resource, inventory: Inventory) -> list[Resource]:
    """The event source mappings that read a stream, its consumers among them, or a queue.

    Raises:
        Unread: the mappings of the region could not be listed.
    """
    found = inventory.of("AWS::Lambda::EventSourceMapping", region=source.region)
    index: _Index = inventory.derived(f"mappings of {source.region} by source", lambda: _mappings(found))
    return index.under([(source.arn,)])


def _mappings(found: list[Resource]) -> _Index:
    index = _Index(defaultdict(list), [])
    for place, mapping in enumerate(found):
        try:
            key = str(mapping["EventSourceArn"] or "").partition("/consumer/")[0]
        except Unread:
            index.loose.append((place, mapping))
        else:
            index.keyed[(key,)].append((place, mapping))
    return index


def triggers_of(job: Resource, inventory: Inventory) -> list[Resource]:
    """The triggers that start a Glue job.

    Raises:
        Unread: the triggers of the region could not be listed.
    """
    found = inventory.of("AWS::Glue::Trigger", region=job.region)
    index: _Index = inventory.derived(f"triggers of {job.region} by job", lambda: _triggers(found))
    return index.under([(job.name,)])


def _triggers(found: list[Resource]) -> _Index:
    index = _Index(defaultdict(list), [])
    for place, trigger in enumerate(found):
        try:
            names = {action.get("JobName") for action in trigger["Actions"] or ()}
        except Unread:
            index.loose.append((place, trigger))
            continue
        for name in names:
            index.keyed[(name,)].append((place, trigger))
    return index


# -- where Firehose leaves what fails --------------------------------------------------------------


def error_prefixes(bucket: Resource, inventory: Inventory) -> list[tuple[str, str]]:
    """The prefixes under which Firehose streams leave in a bucket what they could not deliver, with the names
    of the streams.

    Raises:
        Unread: a stream could not be read.
    """
    streams = inventory.of("AWS::KinesisFirehose::DeliveryStream")
    by_bucket: dict[str, list[tuple[str, str]]]
    by_bucket = inventory.derived("error prefixes by bucket", lambda: _error_prefixes(streams))
    return by_bucket.get(bucket.arn, [])


def _error_prefixes(streams: list[Resource]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for stream in streams:
        for destination in _s3_destinations(stream["Destinations"]):
            if prefix := destination.get("ErrorOutputPrefix"):
                found[destination["BucketARN"]].append((prefix, stream.name))
    return dict(found)


def _s3_destinations(value: Any) -> Iterator[dict[str, Any]]:
    """Every S3 destination or backup within a Firehose stream's destinations."""
    if isinstance(value, dict) and value.get("BucketARN"):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _s3_destinations(inner)
