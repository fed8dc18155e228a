"""Tables of an organization's page: worst first, the first rows in the page itself, all of them packed for
its script, which sorts and filters them.

What a cell holds goes by its column's kind:

    name        the name, then what it is told apart by, an account's number and unit for one
    unit        the same, with a link to the accounts of that unit
    score       0 to 100, None where none was given; `part` is one of those that it is made of, `exact` is
                told to one decimal
    share       percent
    change      points
    count       a number, None where it is not known
    usd         USD a month, None where it is not known
    of          how many, and of how many
    severity    a severity
    code        an identifier, empty where there is none
    arn         a long one
    words       a few words
    prose       sentences
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

AT_FIRST = 25  # rows that are drawn before somebody asks for more
MOST_ROWS = 20_000  # what a page holds of a table; organization.json has the rest


class Column(NamedTuple):
    """`title` is what a short heading stands for."""

    words: str
    kind: str
    title: str = ""


class Choice(NamedTuple):
    """A way to filter: `how` compares a row's `column` with what was chosen of `options`, values with their
    words: `equal`, `grade`, or `below`, the third of a name's parts being the unit or one below it."""

    words: str
    how: str
    column: int
    options: list[tuple[str, str]]


class Ranking(NamedTuple):
    """A table: `id` names it in the page, `noun` its rows; `total` is how many there are in all."""

    id: str
    noun: str
    columns: Sequence[Column]
    rows: list[tuple[Any, ...]]
    total: int
    choices: Sequence[Choice] = ()
    searched: bool = False

    @property
    def first(self) -> list[tuple[Any, ...]]:
        return self.rows[:AT_FIRST]


def ranking(
    id_: str,
    noun: str,
    columns: Sequence[Column],
    rows: Iterable[tuple[Any, ...]],
    *,
    total: int = 0,
    choices: Sequence[Choice] = (),
    searched: bool = False,
) -> Ranking:
    """A table of at most `MOST_ROWS`; `total` is given where `rows` are not all that there are."""
    found = list(rows)
    return Ranking(id_, noun, columns, found[:MOST_ROWS], total or len(found), choices, searched)


def packable(tables: Iterable[Ranking]) -> list[dict[str, Any]]:
    """What the script draws the tables from, by columns: that packs well."""
    return [
        {
            "id": table.id,
            "noun": table.noun,
            "total": table.total,
            "searched": table.searched,
            "kinds": [column.kind for column in table.columns],
            "columns": list(zip(*table.rows, strict=True)),
            "choices": [choice._asdict() for choice in table.choices if len(choice.options) > 1],
        }
        for table in tables
    ]
