"""Which calls a rulebook needs: a row that no selected rule or relation asks for is not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from wa_audit.collect.kinds import Call, Kind, all_kinds, by_type, declared
from wa_audit.inventory import ACCOUNT_TYPE
from wa_audit.model import ConfigurationError
from wa_audit.relations import FLOWS, ROWS, Row
from wa_audit.rulebook import Rule
from wa_audit.text import unknown

Plan = dict[str, tuple[Kind, tuple[Call, ...]]]

OPTIONS = {"ce": "--cost", "redshift-data": "--redshift-sql"}
"""The services that are called only where the user asks for it, and how he does."""


def plan(rules: Iterable[Rule], extra: Iterable[str] = ()) -> Plan:
    """Every kind to list, by type, parents first, with the detail calls to make on each of its resources.

    `extra` holds further reads, in the form of `Rule.reads`.

    Raises:
        ConfigurationError: a rule judges a resource type, or reads an operation, that no kind declares.
    """
    wanted: set[tuple[str, str]] = set()
    for rule in rules:
        wanted |= _needs(rule)
    wanted |= _meant([_expand(read, "the collection") for read in extra], wanted)
    wanted |= _conditions(wanted)
    for kind in reversed(all_kinds()):
        if kind.parent and any(type_ == kind.type for type_, _ in wanted):
            wanted.add((kind.parent, by_type()[kind.parent].list.operation))
    types = {type_ for type_, _ in wanted}
    return {
        kind.type: (kind, tuple(c for c in kind.details if (kind.type, c.operation) in wanted))
        for kind in all_kinds()
        if kind.type in types
    }


def within(made: Plan, kind: Kind) -> tuple[str, ...]:
    """The types of which one has to be found in a region before a kind is listed there; none where it is
    listed anyway, as where the plan does not tell whether there are any."""
    types = tuple(kind.within.split())
    return types if all(type_ in made for type_ in types) else ()


def in_order(made: Plan) -> list[Kind]:
    """The kinds of a plan in the order in which they are begun: what takes most calls a resource comes first,
    so that it is not what all the rest waits for."""
    return [kind for kind, _ in sorted(made.values(), key=lambda entry: -len(entry[1]))]


def affordable(
    made: Plan, *, paid_calls: bool = True, cost: bool = False, redshift_sql: bool = False
) -> Plan:
    """The plan without the calls that nobody asked for: Cost Explorer's without `cost`, SQL without
    `redshift_sql`, and without `paid_calls` all that cost money.

    What hangs on a call that is left out goes with it.
    """
    asked = {"ce": cost, "redshift-data": redshift_sql}

    def allowed(kind: Kind, call: Call) -> bool:
        return all(
            asked.get(service_of(where, what), True) and (paid_calls or not is_paid(what))
            for where, what in provisos(kind, call)
        )

    return {
        type_: (kind, tuple(call for call in details if allowed(kind, call)))
        for type_, (kind, details) in made.items()
        if allowed(kind, kind.list)
    }


def offered(made: Plan, partition: str) -> Plan:
    """The plan without what AWS does not offer in a partition."""
    return {
        type_: (kind, details)
        for type_, (kind, details) in made.items()
        if partition not in kind.not_in.split()
    }


def provisos(kind: Kind, call: Call) -> Iterator[tuple[Kind, Call]]:
    """Every call that has a price, or has to be asked for, without which this one cannot be made; it may be
    one itself."""
    if is_paid(call) or service_of(kind, call) in OPTIONS:
        yield kind, call
    if call is kind.list:
        if kind.parent:
            above = by_type()[kind.parent]
            yield from provisos(above, above.list)
        return
    yield from provisos(kind, kind.list)
    asked = call.depends_on | {kind.region}
    for earlier in kind.details:
        if earlier is call:
            return
        if asked & set(earlier.fields):
            yield from provisos(kind, earlier)


def toll(kind: Kind, call: Call) -> str:
    """What a call that was left out may have been left out for; empty where nothing has to be paid or asked
    for."""
    for where, what in provisos(kind, call):
        if what.metrics:
            return "without --no-metrics and --no-paid-calls (CloudWatch asks 0.01 USD for 1,000 series)"
        option = OPTIONS.get(service_of(where, what))
        flag = f"with {option}" if option else "without --no-paid-calls"
        what_for = f"costs {what.price:g} USD a request" if what.price else "runs a SELECT in the cluster"
        return f"{flag} ({where.operation(what)} {what_for})"
    return ""


def is_paid(call: Call) -> bool:
    """Whether AWS asks a price for a call."""
    return bool(call.price or call.metrics)


def service_of(kind: Kind, call: Call) -> str:
    return call.service or kind.service


def operations(made: Plan) -> frozenset[str]:
    """Every operation of a plan, `sqs:ListQueues`."""
    return frozenset(
        kind.operation(call) for kind, details in made.values() for call in (kind.list, *details)
    )


def permitted(made: Plan) -> frozenset[str]:
    """Every operation that reading by a plan may call: its own, and those that spare it some of them."""
    every = (kind.operations(call) for kind, details in made.values() for call in (kind.list, *details))
    return frozenset[str]().union(*every)


def helping(made: Plan) -> frozenset[str]:
    """The operations that spare a plan others, and without which it reads as much by more calls."""
    return permitted(made) - operations(made)


def without_metrics(made: Plan) -> Plan:
    """The plan without what AWS asks a price for by the metric."""
    return {
        type_: (kind, tuple(call for call in details if not call.metrics))
        for type_, (kind, details) in made.items()
    }


def flow_reads() -> frozenset[str]:
    """The relations that pipelines are found by: where data flows, and what merely serves."""
    return frozenset({*FLOWS, "dead-letters-to", "logs-to", "notifies", "runs-code-from", "scratches-in"})


def spend_reads() -> frozenset[str]:
    """The operation that tells what was spent, by service, whatever rules are switched off."""
    return frozenset({"ce:GetCostAndUsage"})


def tag_reads(rules: Iterable[Rule]) -> frozenset[str]:
    """The operations that give the tags of the types these rules judge."""
    return frozenset(
        kind.operation(call)
        for rule in rules
        for kind in map(by_type().get, rule.types)
        if kind is not None
        for call in kind.details
        if "Tags" in call.fields
    )


def _needs(rule: Rule) -> set[tuple[str, str]]:
    """The (type, operation) pairs that a rule needs."""
    kinds = by_type()
    _check_subject(rule)
    own = [kinds[type_] for type_ in rule.types if type_ in kinds]
    needs = {(kind.type, kind.list.operation) for kind in own}
    if not rule.reads:
        asked = getattr(rule.function, "fields", ())
        needs |= {
            (kind.type, call.operation)
            for kind in own
            for call in kind.details
            # Metrics cost: nobody gets them unasked.
            if not call.metrics or call.into in asked
        }
    reader = f"rule {rule.id} ({rule.source})"
    reads = (*rule.reads, *rule.estimates)
    return _meant([_expand(read, reader, _measured_for(rule, read)) for read in reads], needs)


def _meant(found: list[set[tuple[str, str]]], needs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What is needed, with what reads stand for.

    A detail such as glue:GetTags, which many types share, is meant of those that are looked at anyway.
    """
    listed = _lists()
    whole = needs.union(*(pairs & listed for pairs in found))
    types = {type_ for type_, _ in whole}
    for pairs in found:
        details = pairs - listed
        whole |= {pair for pair in details if pair[0] in types} or _with_lists(details)
    return whole


def _with_lists(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The pairs, and the lists without which nothing could be described."""
    return pairs | {(type_, by_type()[type_].list.operation) for type_, _ in pairs}


def _measured_for(rule: Rule, read: str) -> frozenset[str] | None:
    """The types whose metrics a rule reads: those that it judges, and those whose list it names in `reads`.

    None where it reads something else.
    """
    if read not in _metric_operations():
        return None
    kinds = by_type()
    named = {
        type_
        for name in rule.reads
        for type_, call in _declaring(name)
        if call == kinds[type_].list.operation
    }
    return frozenset({*rule.types, *named})


def _check_subject(rule: Rule) -> None:
    """A misspelt type or field would have the rule look at nothing, and judge by it."""
    for type_ in rule.types:
        kind = by_type().get(type_)
        if kind is None and type_ != ACCOUNT_TYPE:
            known = unknown("resource type", type_, by_type())
            raise ConfigurationError(f"rule {rule.id} ({rule.source}) judges what is not read: {known}")
        for name in getattr(rule.function, "fields", ()):
            if kind is not None and name not in kind.fields:
                known = unknown("field", name, sorted(kind.fields))
                raise ConfigurationError(
                    f"rule {rule.id} ({rule.source}) asks for what {type_} lacks: {known}"
                )


def _conditions(needs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What a call hangs on, and a global type's region, are read from: earlier detail calls of its kind; what
    a list hangs on, from those of its parent's."""
    more: set[tuple[str, str]] = set()
    for type_ in {type_ for type_, _ in needs}:
        kind = by_type()[type_]
        if kind.when:
            parent = by_type()[kind.parent]
            more |= {(parent.type, call.operation) for call in parent.details if kind.when in call.fields}
        asked = {kind.region}
        for call in reversed(kind.details):
            if (type_, call.operation) in needs or asked & set(call.fields):
                asked |= call.depends_on
                more.add((type_, call.operation))
    return more


def _expand(read: str, reader: str, types: frozenset[str] | None = None) -> set[tuple[str, str]]:
    """`sqs:GetQueueAttributes` is itself; the name of a relation is whatever can declare it.

    With `types`, only the calls of these count.
    """
    if ":" not in read:
        if related := _relating(read):
            return {*related}
        relations = sorted({row.kind for row in ROWS})
        raise ConfigurationError(f"{reader} reads what is not there: {unknown('relation', read, relations)}")
    pairs = {pair for pair in _declaring(read) if types is None or pair[0] in types}
    if not pairs and types is not None:
        raise ConfigurationError(f"{reader} reads {read}, and no metrics are declared for what it judges")
    if not pairs:
        raise ConfigurationError(
            f"{reader} reads an undeclared operation: {unknown('operation', read, {*_declarations()})}"
        )
    return pairs


@cache
def _lists() -> frozenset[tuple[str, str]]:
    """The (type, operation) pairs of all lists."""
    return frozenset((kind.type, kind.list.operation) for kind in all_kinds())


@cache
def _metric_operations() -> frozenset[str]:
    return frozenset(kind.operation(call) for kind, call in declared() if call.metrics)


@cache
def _declarations() -> Mapping[str, frozenset[tuple[str, str]]]:
    """The (type, operation) pairs of each declared operation, `sqs:ListQueues`."""
    found: dict[str, set[tuple[str, str]]] = {}
    for kind, call in declared():
        found.setdefault(kind.operation(call), set()).add((kind.type, call.operation))
    return {operation: frozenset(pairs) for operation, pairs in found.items()}


def _declaring(operation: str) -> frozenset[tuple[str, str]]:
    """The pairs of an operation; none where no kind declares it."""
    return _declarations().get(operation, frozenset())


@cache
def _relating(relation: str) -> frozenset[tuple[str, str]]:
    """The pairs that can declare a relation; none where there is no such relation."""
    rows = [row for row in ROWS if row.kind == relation]
    pairs = {
        (kind.type, call.operation)
        for row in rows
        for kind in (by_type()[row.type],)
        for call in kind.calls
        if {_field(row.target), _field(row.source)} & set(call.fields) or call is kind.list
    }
    pairs = _with_lists(pairs.union(*map(_looked_up, rows)))
    if relation == "encrypts-with":
        pairs.add(("AWS::KMS::Alias", "ListAliases"))
    return frozenset(pairs)


def _looked_up(row: Row) -> set[tuple[str, str]]:
    """What a row's conversion looks up beside the row's own resource."""
    return {
        (kind.type, call.operation)
        for kind in map(by_type().__getitem__, row.needs)
        for call in kind.calls
        if call is kind.list or "Notifications" in call.fields
    }


def _field(path: str) -> str:
    return path.partition("|")[0].split(".")[0].removesuffix("[]")
