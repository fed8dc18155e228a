"""Rules without code: a JMESPath expression over a resource's data, as a check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jmespath
import jmespath.exceptions
from jmespath.functions import Functions

from wa_audit.model import Resource, Status, Unread, Verdict
from wa_audit.text import unknown


@dataclass(frozen=True, slots=True)
class Expression:
    """A check that passes where `holds` is true and has nothing to say where `applies` is not.

    `fields` names the resource's fields that either looks at.
    """

    holds: Any
    applies: Any
    when: str
    title: str
    failure_title: str
    fields: tuple[str, ...]

    def __call__(self, resource: Resource) -> Verdict:
        # Touching every field that the expressions name lets Unread rise before they are evaluated.
        facts = {name: resource[name] for name in self.fields}
        for gap in resource.gaps:
            # A part of a field that could not be read, such as one metric, would look like one not there.
            if any(path.partition(".")[0] in facts and "." in path for path in gap.fields):
                raise Unread(gap)
        evidence = {name: value for name, value in facts.items() if value is not None}
        if not self.applies.search(facts):
            return Verdict(Status.NOT_APPLICABLE, f"is outside this rule: {self.when}")
        if self.holds.search(facts):
            return Verdict(Status.PASS, self.title, evidence)
        return Verdict(Status.FAIL, self.failure_title, evidence)


def judge(assertion: str, when: str, title: str, failure_title: str) -> Expression:
    """The check that an `assert`, and a `when`, ask for.

    Raises:
        ValueError: an expression is not JMESPath, or calls a function that JMESPath does not have.
    """
    holds, applies = _compile("assert", assertion), _compile("when", when or "`true`")
    fields = sorted({*_looked_at(holds.parsed), *_looked_at(applies.parsed)})
    return Expression(holds, applies, when, title, failure_title, tuple(fields))


def fields_of(expression: str) -> set[str]:
    """The names of the resource's own fields that an expression looks at."""
    return set(_looked_at(jmespath.compile(expression).parsed))


def _compile(name: str, expression: str) -> Any:
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        words = str(error).splitlines()[0].partition(", for expression")[0]
        raise ValueError(f"{name}: {expression!r} is not a JMESPath expression: {words}") from None
    # JMESPath itself would find a function missing only when it calls it, on some resource.
    for function in _values(compiled.parsed, "function_expression"):
        if function not in Functions.FUNCTION_TABLE:
            raise ValueError(f"{name}: {unknown('JMESPath function', function, Functions.FUNCTION_TABLE)}")
    return compiled


# What stands right of these looks at what the left gave, and no longer at the resource.
_STEPS = {
    "subexpression",
    "index_expression",
    "projection",
    "value_projection",
    "filter_projection",
    "flatten",
    "pipe",
}


def _looked_at(node: Any) -> Iterator[str]:
    """The fields of the resource itself that a parsed expression looks at."""
    children = _children(node)
    if node["type"] == "field":
        yield node["value"]
    elif node["type"] in _STEPS:
        yield from _looked_at(children[0])
        if children[0]["type"] in ("current", "identity"):
            for child in children[1:]:
                yield from _looked_at(child)
    elif node["type"] != "expref":  # looks at the items that its function is given
        for child in children:
            yield from _looked_at(child)


def _values(node: Any, type_: str) -> Iterator[str]:
    """The values of all nodes of a type in a parsed expression."""
    if node["type"] == type_:
        yield node["value"]
    for child in _children(node):
        yield from _values(child, type_)


def _children(node: Any) -> list[Any]:
    """The nodes below a node; a slice holds bare numbers, too."""
    return [child for child in node["children"] if isinstance(child, dict)]
