"""Rules without code: a JMESPath expression over a resource's data, as a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jmespath
import jmespath.exceptions

from wa_audit.inventory import Inventory
from wa_audit.model import Resource, Status, Verdict


def judge(
    assertion: str, when: str, title: str, failure_title: str
) -> Callable[[Resource, Inventory], Verdict]:
    """A check that passes where `assertion` is true and has nothing to say where `when` is not.

    Raises:
        ValueError: an expression is not JMESPath.
    """
    holds, applies = _compile("assert", assertion), _compile("when", when or "`true`")
    fields = sorted({*_fields(holds.parsed), *_fields(applies.parsed)})

    def check(resource: Resource, inventory: Inventory) -> Verdict:
        # Touching every field that the expressions name lets Unread rise before they are evaluated.
        evidence = {name: resource[name] for name in fields if resource[name] is not None}
        if not applies.search(resource.data):
            return Verdict(Status.NOT_APPLICABLE, f"is outside this rule: {when}")
        if holds.search(resource.data):
            return Verdict(Status.PASS, title, evidence)
        return Verdict(Status.FAIL, failure_title, evidence)

    return check


def fields_of(expression: str) -> set[str]:
    """The names of the resource's own fields that an expression looks at."""
    return set(_fields(jmespath.compile(expression).parsed))


def _compile(name: str, expression: str) -> Any:
    try:
        return jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"{name}: not a JMESPath expression: {str(error).splitlines()[0]}") from None


# Nodes whose first child leads to a value, and whose others look within that value.
_WITHIN = frozenset(
    {"subexpression", "index_expression", "projection", "value_projection", "filter_projection", "pipe"}
)


def _fields(node: Any) -> Iterator[str]:
    """The names of the resource's own fields in a parsed expression, without those of fields within them."""
    if node["type"] == "field":
        yield node["value"]
    children = [child for child in node["children"] if isinstance(child, dict)]
    for child in children[:1] if node["type"] in _WITHIN else children:
        yield from _fields(child)
