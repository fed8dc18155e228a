"""Who would hear of it: the alarms on a resource's metrics, and the rules that its failure would reach.

Asked once for each resource, so alarms, rules and state machines are looked up by what they are about, and
never gone through. An index narrows; `alarms.watches` and `patterns.matches` decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from wa_audit.aws import activity, alarms, patterns, states
from wa_audit.inventory import Inventory
from wa_audit.model import Resource, Unread

_ALARM = "AWS::CloudWatch::Alarm"
_COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
_RULE = "AWS::Events::Rule"
_MACHINE = "AWS::StepFunctions::StateMachine"

_Found = TypeVar("_Found")
_Index = Mapping[Any, list[tuple[int, _Found]]]
_Asked = tuple[_Index[Resource], set[int]]


def _in_order(found: list[list[tuple[int, _Found]]]) -> list[_Found]:
    """What several lookups found, each once, in the inventory's order."""
    if not found:
        return []
    merged = {number: item for part in found for number, item in part}
    return [merged[number] for number in sorted(merged)]


# -- alarms ----------------------------------------------------------------------------------------


def alarms_on(
    resource: Resource, inventory: Inventory, namespace: str, names: Collection[str], **dimensions: str
) -> list[Resource]:
    """The alarms of the resource's region that watch one of these metrics with these dimensions.

    Raises:
        Unread: the alarms could not be listed.
    """
    region = resource.region
    listed = inventory.of(_ALARM, region=region)
    index: _Index[Resource] = inventory.derived(f"{_ALARM} in {region}", lambda: _by_metric(listed))
    pairs = [*dimensions.items(), None]
    asked = [(namespace, name, pair) for name in names for pair in pairs]
    found = [index[key] for key in asked if key in index]
    return [alarm for alarm in _in_order(found) if alarms.watches(alarm, namespace, names, dimensions)]


def _by_metric(listed: Iterable[Resource]) -> _Index[Resource]:
    """Alarms by namespace, metric, and each pair of a dimension; by None where no single pair is needed."""
    index: dict[Any, list[tuple[int, Resource]]] = defaultdict(list)
    for number, alarm in enumerate(listed):
        for metric in alarms.metrics(alarm):
            pairs: list[Any] = (
                [None] if metric.query or not metric.dimensions else [*metric.dimensions.items()]
            )
            for pair in pairs:
                index[metric.namespace, metric.name, pair].append((number, alarm))
    return dict(index)


def heard(found: Iterable[Resource], inventory: Inventory) -> list[Resource]:
    """Those alarms that do something when they go off, by themselves or through a composite alarm.

    Raises:
        Unread: the composite alarms could not be listed.
    """
    return [alarm for alarm in found if _is_heard(alarm, inventory)]


def _is_heard(alarm: Resource, inventory: Inventory) -> bool:
    composites = inventory.of(_COMPOSITE, region=alarm.region)
    if alarms.acts(alarm) or not composites:
        return alarms.acts(alarm)
    above: Mapping[str, list[Resource]] = inventory.derived(
        f"{_COMPOSITE} in {alarm.region}", lambda: _by_member(composites)
    )
    waiting, seen = [alarm], {alarm.name}
    while waiting:
        below = waiting.pop()
        for name in {below["AlarmName"], below["AlarmArn"]} - {None}:
            for composite in above.get(name, ()):
                if alarms.acts(composite):
                    return True
                if composite.name not in seen:
                    seen.add(composite.name)
                    waiting.append(composite)
    return False


def _by_member(composites: Iterable[Resource]) -> Mapping[str, list[Resource]]:
    index: dict[str, list[Resource]] = defaultdict(list)
    for composite in composites:
        for name in alarms.members(composite["AlarmRule"] or ""):
            index[name].append(composite)
    return dict(index)


def flink_alarms(region: str, inventory: Inventory) -> list[Resource]:
    """The alarms of a region that are heard and watch how far a Flink application is behind."""
    listed = inventory.of(_ALARM, region=region)

    def make() -> list[Resource]:
        lag = [a for a in listed if any(m.name == "millisBehindLatest" for m in alarms.metrics(a))]
        return heard(lag, inventory)

    found: list[Resource] = inventory.derived(f"Flink's alarms in {region}", make)
    return found


# -- event rules -----------------------------------------------------------------------------------

# The field of an event's detail that tells its resource from others.
_ABOUT = {"aws.glue": "jobName", "aws.states": "stateMachineArn"}


def event_rule(resource: Resource, inventory: Inventory, events: list[dict[str, Any]]) -> Resource | None:
    """The first enabled rule on the region's default bus that hands one of these events to a target.

    Raises:
        Unread: the rules could not be listed, or the targets of one that matches not be read.
    """
    region = resource.region
    listed = inventory.of(_RULE, region=region)
    asked: _Asked = inventory.derived(f"{_RULE} in {region}", lambda: _by_event(listed))
    index, lengths = asked
    # Events of one thing differ in how it ended, which no key looks at.
    keys = {key for about in {_about(event) for event in events} for key in _keys(*about, lengths)}
    for rule in _in_order([index[key] for key in keys if key in index]):
        if any(patterns.matches(rule["EventPattern"], event) for event in events) and rule["Targets"]:
            return rule
    return None


def is_told_of_events(target: Resource, inventory: Inventory) -> bool:
    """Whether a rule of the region, on whatever bus, hands its events to a resource.

    Raises:
        Unread: none that was read does, and not all could be read.
    """
    region = target.region
    listed = inventory.of(_RULE, region=region)
    told, lost = inventory.derived(f"targets of {_RULE} in {region}", lambda: _targets(listed))
    if lost and target.arn not in told:
        raise lost
    return target.arn in told


def _targets(listed: Iterable[Resource]) -> tuple[set[str], Unread | None]:
    told: set[str] = set()
    lost: Unread | None = None
    for rule in listed:
        try:
            told |= {target["Arn"] for target in rule["Targets"] or ()}
        except Unread as unread:
            lost = lost or unread
    return told, lost


def _about(event: Mapping[str, Any]) -> tuple[str, str]:
    """An event's source, and the name of what it is about."""
    source = str(event.get("source"))
    return source, str((event.get("detail") or {}).get(_ABOUT.get(source, "")))


def _keys(source: str, name: str, lengths: Collection[int]) -> Iterator[tuple[str, str]]:
    """Where rules stand that may match an event: by source, and by what they ask of the name it is about, be
    it a prefix of one of these lengths."""
    yield ("", _ANYTHING)
    yield (source, _ANYTHING)
    yield (source, f"={name}")
    yield from ((source, f"^{name[:length]}") for length in lengths)


_ANYTHING = ""


def _by_event(listed: Iterable[Resource]) -> _Asked:
    """Rules by what they ask for, and the lengths of the prefixes that they ask for."""
    index: dict[Any, list[tuple[int, Resource]]] = defaultdict(list)
    for number, rule in enumerate(listed):
        if not activity.rule_is_on(rule["State"]) or (rule["EventBusName"] or "default") != "default":
            continue
        # What has no pattern runs on a schedule, and no event sets it off.
        for key in set(_asked(rule["EventPattern"])) if rule["EventPattern"] else ():
            index[key].append((number, rule))
    return dict(index), {len(asked) - 1 for _, asked in index if asked.startswith("^")}


def _asked(pattern: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sources, detail = pattern.get("source"), pattern.get("detail")
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        yield ("", _ANYTHING)  # asked in another way, or not at all
        return
    for source in sources:
        wanted = detail.get(_ABOUT.get(source)) if isinstance(detail, dict) else None
        for matcher in wanted if isinstance(wanted, list) and wanted else (None,):
            prefix = matcher.get("prefix") if isinstance(matcher, dict) and len(matcher) == 1 else None
            if isinstance(matcher, str):
                yield (source, f"={matcher}")
            elif isinstance(prefix, str) and prefix:
                yield (source, f"^{prefix}")
            else:
                yield (source, _ANYTHING)


# -- state machines that wait ----------------------------------------------------------------------


class Waiting(NamedTuple):
    """The state machines of a region that wait (.sync) for what their Tasks start.

    `on` holds machines and Tasks by what is waited for; `some_job` the machines that take the name of the
    Glue job from their input; `unread` is raised for those whose definition could not be read.
    """

    on: Mapping[states.Reference, list[tuple[Resource, list[states.State]]]]
    some_job: list[Resource]
    unread: Unread | None


def waiting_machines(region: str, inventory: Inventory) -> Waiting:
    """See `Waiting`. Raises Unread where state machines could not be listed."""
    machines = inventory.of(_MACHINE, region=region)
    found: Waiting = inventory.derived(f"waiting machines in {region}", lambda: _waiting(machines))
    return found


def _waiting(machines: Iterable[Resource]) -> Waiting:
    on: dict[states.Reference, list[tuple[Resource, list[states.State]]]] = defaultdict(list)
    some_job, lost = [], None
    for machine in machines:
        try:
            tasks = states.tasks(machine["definition"])
        except Unread as unread:
            lost = lost or unread
            continue
        own: dict[states.Reference, list[states.State]] = defaultdict(list)
        for task in tasks:
            called = states.integration(task)
            if called.pattern != states.SYNC:
                continue
            for reference in dict.fromkeys(called.references):
                own[reference].append(task)
            if (called.service, called.action) == ("glue", "startJobRun") and not called.references:
                some_job.append(machine)
        for reference, found in own.items():
            on[reference].append((machine, found))
    return Waiting(dict(on), list({m.arn: m for m in some_job}.values()), lost)
