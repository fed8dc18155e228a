"""Inventory × rulebook → findings. Pure: the same inventory and rulebook give the same findings."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wa_audit.aws import prices
from wa_audit.inventory import Inventory
from wa_audit.model import (
    Confidence,
    Estimate,
    Finding,
    Gap,
    Pillar,
    Resource,
    Severity,
    Status,
    Unread,
    Verdict,
)
from wa_audit.relations import relate
from wa_audit.rulebook import Rule, Rulebook

log = logging.getLogger(__name__)


_NO_TAGS: Mapping[str, str] = MappingProxyType({})
# Looked up a million times, and an Enum is slow to give its members.
_FAIL, _COST = Status.FAIL, Pillar.COST_OPTIMIZATION
_UNTOLD = Estimate(
    usd=None, confidence=Confidence.UNKNOWN, reason="the rule does not say what its failure wastes"
)


def assess(
    inventory: Inventory,
    rulebook: Rulebook,
    tags: Mapping[str, str] = _NO_TAGS,
    price_table: prices.Table | None = None,
) -> Iterator[Finding]:
    """One finding for every rule and resource that it speaks about, in the rulebook's order.

    Where the list of a rule's resources could not be read, a finding on the list itself says so: silence
    would look like an empty account. With `tags`, only resources that bear them all are judged; the others
    are still there to be related to. Failures that waste money say how much by `price_table`, without one by
    the bundled one.
    """
    related = relate(inventory)
    asked = price_table or prices.bundled()
    for rule in rulebook.rules:
        for type_ in rule.types:
            for resource in related.known(type_):
                verdict = _unless_borne(resource, tags) if tags else None
                if verdict is not _ELSEWHERE:
                    yield _finding(rule, resource, verdict or judge(rule, resource, related), asked)
            for gap in related.list_gaps(type_):
                yield _unlisted(rule, gap, related)


_ELSEWHERE = Verdict(Status.NOT_APPLICABLE, "does not bear the tags asked for")


def _unless_borne(resource: Resource, tags: Mapping[str, str]) -> Verdict | None:
    """None where the resource bears the tags; a verdict where it does not, or where nobody can say."""
    try:
        own = resource.tags
    except Unread as unread:
        return Verdict(Status.NOT_EVALUATED, f"tags are unknown: {unread.gap.sentence}", gap=unread.gap)
    return None if tags.items() <= own.items() else _ELSEWHERE


def judge(rule: Rule, resource: Resource, inventory: Inventory) -> Verdict:
    """The rule's verdict on one resource.

    A fact that could not be read makes it `not_evaluated`; a check that breaks makes it `error`, with the
    trace in the log, and the run goes on.
    """
    try:
        return rule.function(resource, inventory) if rule.looks_around else rule.function(resource)
    except Unread as unread:
        message = f"could not be judged: {unread.gap.sentence}"
        return Verdict(Status.NOT_EVALUATED, message, gap=unread.gap)
    except Exception as error:
        log.warning("rule %s broke on %s", rule.id, resource.arn, exc_info=True)
        return Verdict(Status.ERROR, f"the check broke: {type(error).__name__}")


def _finding(rule: Rule, resource: Resource, verdict: Verdict, asked: prices.Table) -> Finding:
    # By position, which a struct of so many fields takes in half the time.
    return Finding(
        rule.id,
        resource.arn,
        resource.type,
        resource.name,
        resource.account,
        verdict.status,
        verdict.severity or rule.severity,
        verdict.message,
        region=resource.region,
        evidence=verdict.evidence,
        gap=verdict.gap,
        waste=_estimate(rule, resource, verdict, asked) if verdict.status is _FAIL else None,
        carbon=verdict.carbon,
    )


def _estimate(rule: Rule, resource: Resource, verdict: Verdict, asked: prices.Table) -> Estimate | None:
    """What a failure wastes a month; every failure of the cost pillar has an estimate, if only one that says
    why there is no amount."""
    if verdict.waste is not None:
        return asked.estimate(verdict.waste, resource.region)
    return _UNTOLD if rule.pillar is _COST else None


def _unlisted(rule: Rule, gap: Gap, inventory: Inventory) -> Finding:
    service = gap.operation.partition(":")[0]
    place = f"arn:{inventory.run.partition}:{service}:{gap.region}:{inventory.run.account}"
    return Finding(
        rule=rule.id,
        arn=gap.arn or f"{place}:{gap.type.rpartition('::')[2].lower()}/*",
        type=gap.type,
        name="*",
        account=inventory.run.account,
        region=gap.region,
        status=Status.NOT_EVALUATED,
        severity=Severity(rule.severity),
        message=f"could not be listed: {gap.sentence}",
        gap=gap,
    )
