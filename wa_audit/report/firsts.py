"""What to do first: three steps, each the best by a measure of its own.

The gravest risk comes first, whatever it gains. Then what saves most money, or, where nothing has an amount,
what the overall score gains most by; and what asks for least effort: the most points for each resource that
has to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from wa_audit.inventory import ACCOUNT_TYPE
from wa_audit.model import Status
from wa_audit.report import money
from wa_audit.report.audit import Audit, RuleText, Step
from wa_audit.report.findings import costly
from wa_audit.text import count


class First(NamedTuple):
    """A step, and by which measure it is the first: `Gravest risk`, `Saves most`, `Least effort`. `usd` is
    what its failures waste a month, 0 for what has no amount."""

    measure: str
    step: Step
    rule: RuleText
    usd: float

    @property
    def title(self) -> str:
        return self.rule.failure_title or self.rule.title

    @property
    def figures(self) -> list[str]:
        """`+0.3 points`, `12.00 USD a month`, `1 resource to change`."""
        saved = [f"{money.usd(self.usd)} a month"] if self.usd > 0 else []
        return [
            f"{gain(self.step.gain)} points",
            *saved,
            f"{count(self.step.failures, 'resource')} to change",
        ]


def gain(points: float) -> str:
    """`+0.3`, and `<0.1` for what a digit cannot show."""
    return f"+{points:.1f}" if points >= 0.05 else "<0.1"


def of(audit: Audit) -> list[First]:
    """At most three steps, none twice; a rule of weight 0 gains nothing and is no first step."""
    wasted = _wasted(audit)
    left = [step for step in audit.fix_first if step.gain > 0]
    saves = any(wasted.get(step.rule) for step in left)
    measures: tuple[tuple[str, Callable[[Step], float]], ...] = (
        ("Gravest risk", lambda step: 0),  # as the audit has them
        ("Saves most", lambda step: -wasted.get(step.rule, 0.0))
        if saves
        else ("Gains most", lambda step: -step.gain),
        ("Least effort", lambda step: -step.gain / max(step.failures, 1)),
    )
    found = []
    for measure, key in measures:
        if left:
            step = _best(left, key)
            left.remove(step)
            found.append(First(measure, step, audit.rules[step.rule], wasted.get(step.rule, 0.0)))
    return found


def _wasted(audit: Audit) -> dict[str, float]:
    """USD a month, by rule. What is estimated for the account as a whole is nobody's to save by one step."""
    found: dict[str, float] = {}
    for finding in costly(audit.findings):
        of_account = audit.resources[finding.resource].type == ACCOUNT_TYPE
        if finding.status is Status.FAIL and finding.waste is not None and not of_account:
            found[finding.rule] = found.get(finding.rule, 0.0) + (finding.waste.usd or 0.0)
    return found


def _best(steps: Iterable[Step], key: Callable[[Step], float]) -> Step:
    """The first by the measure; among equals the one that the audit has first."""
    return min(steps, key=key)
