"""The AWS Well-Architected Framework's and the Data Analytics Lens's best practices: ids, titles, links.

Source: https://docs.aws.amazon.com/wellarchitected/latest/framework/appendix.html and
https://docs.aws.amazon.com/wellarchitected/latest/analytics-lens/, as of October 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_DATA = Path(__file__).parent / "data"


class BestPractice(NamedTuple):
    id: str
    pillar: str
    title: str
    url: str
    question: str
    risk: str = ""


@cache
def best_practices() -> Mapping[str, BestPractice]:
    """The framework's best practices by id, `REL05-BP04`; `risk` is AWS's level if it is not established.

    `question` is the framework's own that a practice answers.
    """
    return MappingProxyType(
        {
            id_: BestPractice(id_, pillar, title, url, question, risk)
            for id_, pillar, risk, title, url, question in table("best_practices.tsv")
        }
    )


@cache
def analytics_lens() -> Mapping[str, BestPractice]:
    """The Data Analytics Lens's best practices by id, `BP 6.4`; `question` is the design principle."""
    return MappingProxyType(
        {
            id_: BestPractice(id_, pillar, title, url, question)
            for id_, pillar, title, url, question in table("analytics_lens.tsv")
        }
    )


@cache
def only_a_person() -> frozenset[str]:
    """The ids of the practices that nothing in an account's configuration or metrics decides."""
    return frozenset(id_ for (id_,) in table("only_a_person.tsv"))


def table(name: str) -> list[list[str]]:
    """The rows of a data file, tab-separated, without its heading and its `#` comments."""
    return [line.split("\t") for line in lines(name)]


def lines(name: str) -> list[str]:
    """The rows of a data file, each as the line that it is."""
    found = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in found if line and not line.startswith("#")][1:]
