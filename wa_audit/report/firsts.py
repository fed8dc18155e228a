"""What to do first: three steps, each the best by a measure of its own.

The gravest risk comes first, whatever it gains. Then what the overall score gains most by, and what asks for
least effort: the most points for each resource that has to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from wa_audit.report.audit import Audit, RuleText, Step
from wa_audit.text import count


class First(NamedTuple):
    """A step, and by which measure it is the first: `Gravest risk`, `Gains most`, `Least effort`."""

    measure: str
    step: Step
    rule: RuleText

    @property
    def title(self) -> str:
        return self.rule.failure_title or self.rule.title

    @property
    def figures(self) -> list[str]:
        """`+0.3 points`, `1 resource to change`."""
        return [f"{gain(self.step.gain)} points", f"{count(self.step.failures, 'resource')} to change"]


def gain(points: float) -> str:
    """`+0.3`, and `<0.1` for what a digit cannot show."""
    return f"+{points:.1f}" if points >= 0.05 else "<0.1"


_MEASURES: tuple[tuple[str, Callable[[Step], float]], ...] = (
    ("Gravest risk", lambda step: 0),  # as the audit has them
    ("Gains most", lambda step: -step.gain),
    ("Least effort", lambda step: -step.gain / max(step.failures, 1)),
)


def of(audit: Audit) -> list[First]:
    """At most three steps, none twice; a rule of weight 0 gains nothing and is no first step."""
    left = [step for step in audit.fix_first if step.gain > 0]
    found = []
    for measure, key in _MEASURES:
        if left:
            step = _best(left, key)
            left.remove(step)
            found.append(First(measure, step, audit.rules[step.rule]))
    return found


def _best(steps: Iterable[Step], key: Callable[[Step], float]) -> Step:
    """The first by the measure; among equals the one that the audit has first."""
    return min(steps, key=key)
