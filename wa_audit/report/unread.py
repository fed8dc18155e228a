"""What could not be read, on one line, and the permissions that would cure it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from wa_audit.inventory import Inventory
from wa_audit.model import Reason
from wa_audit.text import count

_FEW = 12  # names that a person still reads on one line


class _Gap(Protocol):
    """`Gap`, or the audit's own row of the same."""

    @property
    def operation(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def reason(self) -> Reason: ...


def words(gaps: Iterable[_Gap]) -> str:
    """What to grant, what failed, and what was not asked for; empty where nothing is missing."""
    denied, left_out, failed = set[str](), set[str](), set[str]()
    for gap in gaps:
        if gap.reason is Reason.ACCESS_DENIED and gap.action:
            denied.add(gap.action)
        elif gap.reason is Reason.NOT_COLLECTED:
            left_out.add(gap.operation)
        elif gap.operation:
            failed.add(f"{gap.operation} ({str(gap.reason).replace('_', ' ')})")
    cure = ", or all of 'wa-audit iam-policy'" if len(denied) > _FEW else ""
    parts = [
        f"refused: grant {_some(denied)}{cure}" if denied else "",
        f"failed: {_some(failed)}" if failed else "",
        f"not asked for: {_some(left_out)}" if left_out else "",
    ]
    return "; ".join(filter(None, parts))


def of_inventory(inventory: Inventory) -> str:
    """The line on what a collection could not read; empty where it read all that it asked for."""
    gaps = {*inventory.gaps, *(gap for resource in inventory for gap in resource.gaps)}
    found = [gap for gap in gaps if gap.reason is not Reason.NOT_COLLECTED]
    if not found:
        return ""
    lists = sum(1 for gap in found if not gap.fields)
    facts = len(found) - lists
    counted = [count(lists, "list") if lists else "", count(facts, "resource fact") if facts else ""]
    return f"Could not be read: {' and '.join(filter(None, counted))}; {words(found)}"


def _some(names: set[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - _FEW} more" if len(listed) > _FEW else ""
    return ", ".join(listed[:_FEW]) + more
