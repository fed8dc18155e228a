"""Which versions AWS still supports: Lambda runtimes, Glue versions, EMR releases.

The dates come from dated tables in `data/`, each of which names its source. What a table does not hold is
not known: the functions give None, and no verdict may be built on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from wa_audit.aws.framework import table


class GlueVersion(NamedTuple):
    """A Glue version; the dates are None where AWS has announced none."""

    version: str
    end_of_support: str | None
    end_of_life: str | None


class Support(NamedTuple):
    """The last day of support lies from `earliest` to `latest`; the same day where it is known."""

    earliest: str | None
    latest: str


def natural(label: str) -> tuple[int, ...]:
    """The numbers of a version or release label, so that 7.10 sorts after 7.9 and 5 equals 5.0."""
    numbers = [int(number) for number in re.findall(r"\d+", label)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def days_until(day: str, now: str) -> int:
    """Days from `now` to `day`, both ISO 8601; negative when it has passed."""
    return (date.fromisoformat(day[:10]) - date.fromisoformat(now[:10])).days


def lambda_deprecation(runtime: str) -> str | None:
    """The day on which a Lambda runtime is deprecated, or None for one that the table does not hold."""
    return _lambda_runtimes().get(runtime)


def glue_version(version: str) -> GlueVersion | None:
    """What is known of a Glue version, or None for one that the table does not hold."""
    return _glue_versions().get(version)


def emr_support(label: str) -> Support | None:
    """The last day of an EMR release's standard support, or None for a release newer than the table.

    A release that the table leaves out lies between its neighbours. One that is older than all of its line
    came out before them and its 24 months ended no later than theirs.
    """
    line = _line(label)
    known = [(natural(other), until) for other, until in _emr_releases().items() if _line(other) == line]
    older = [until for numbers, until in known if numbers <= natural(label)]
    newer = [until for numbers, until in known if numbers >= natural(label)]
    if not newer or not natural(label):
        return None
    return Support(older[-1] if older else None, newer[0])


def emr_minors_behind(label: str) -> int | None:
    """How many minor releases the newest release of the same major in the table is ahead; None if unknown."""
    major, minor = _major_and_minor(label)
    minors = [
        _major_and_minor(other)[1]
        for other in _emr_releases()
        if _line(other) == _line(label) and _major_and_minor(other)[0] == major
    ]
    return max(0, max(minors) - minor) if minors else None


def _major_and_minor(label: str) -> tuple[int, int]:
    major, minor, *_ = (*natural(label), 0, 0)
    return major, minor


def _line(label: str) -> str:
    """`emr-` or `emr-spark-`: what stands before the first number."""
    return re.split(r"\d", label, maxsplit=1)[0]


@cache
def _lambda_runtimes() -> Mapping[str, str]:
    return MappingProxyType({runtime: day for runtime, day in table("lambda_runtimes.tsv")})


@cache
def _glue_versions() -> Mapping[str, GlueVersion]:
    days = {"-": None}
    return MappingProxyType(
        {
            version: GlueVersion(version, days.get(support, support), days.get(life, life))
            for version, support, life in table("glue_versions.tsv")
        }
    )


@cache
def _emr_releases() -> Mapping[str, str]:
    rows = sorted(table("emr_releases.tsv"), key=lambda row: natural(row[0]))
    return MappingProxyType({release: until for release, until in rows})
