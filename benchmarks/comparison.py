"""Two audits of one account, held against each other by topic and resource.

Pure: it reads no account and starts no program. `topics` says which of the peer's checks ask what which of
our rules asks, `arguments` why a disagreement is right as it stands, with AWS's own words for a source.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec

from wa_audit import yamlfile
from wa_audit.text import unknown

NONE = "-"
"""The status of a resource that only the other one judges."""


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What both judge. Where a topic has several of the peer's checks, one that fails fails it.

    `by` is what they are held against each other by: where one judges trails and the other the account that
    they belong to, the account.
    """

    rule: str
    checks: list[str]
    by: Literal["resource", "region", "account"] = "resource"


class Apart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What sounds alike and cannot be held against each other resource by resource."""

    rule: str
    checks: list[str]
    because: str


class Argument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a disagreement stands. The first one that fits counts.

    `resources` are names with `*` and `?`. `right` says whose verdict AWS's documentation bears out: `ours`;
    `both`, where the two ask different questions; `emulator`, where the account's emulator left out what
    one of them reads.
    """

    rule: str
    ours: str
    theirs: str
    right: Literal["ours", "both", "emulator"]
    because: str
    source: str
    resources: tuple[str, ...] = ("*",)

    def covers(self, pair: Pair) -> bool:
        told = (self.rule, self.ours, self.theirs) == (pair.rule, pair.ours, pair.theirs)
        return told and any(fnmatchcase(pair.name, pattern) for pattern in self.resources)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What the two say of one resource on one topic. Statuses are each one's own words, or `NONE`."""

    rule: str
    resource: str
    name: str
    ours: str
    theirs: str
    message: str = ""
    their_message: str = ""
    checks: tuple[str, ...] = ()
    """The peer's checks that decided: those that failed, or else those that passed."""

    @property
    def agrees(self) -> bool:
        """Whether they say the same. Who finds nothing to judge finds no problem either."""
        if self.ours == "fail" or self.theirs == "FAIL":
            return (self.ours, self.theirs) == ("fail", "FAIL")
        return self.ours != "not_evaluated" or self.theirs == NONE


class Comparison(msgspec.Struct, frozen=True):
    """The outcome, and whether it is complete."""

    pairs: list[Pair]
    argued: list[tuple[Pair, Argument]]
    unargued: list[Pair]
    idle: list[Argument]
    """Arguments that no disagreement needs any more."""


# -- what was written down -------------------------------------------------------------------------


def topics(path: Path, rules: Iterable[str]) -> tuple[list[Topic], list[Apart]]:
    """The mapping of the peer's checks to our rules.

    Raises:
        ConfigurationError: an entry is none, or names a rule that there is not.
    """
    document = yamlfile.read(path, of="topics")
    known = set(rules)
    same = list(_entries(document, "topics", Topic, known))
    return same, list(_entries(document, "apart", Apart, known))


def arguments(path: Path, rules: Iterable[str]) -> list[Argument]:
    """Why disagreements stand.

    Raises:
        ConfigurationError: an entry is none, names a rule that there is not, or its source is not AWS's.
    """
    document = yamlfile.read(path, of="arguments")
    found = list(_entries(document, "arguments", Argument, set(rules)))
    for number, argument in enumerate(found):
        if not re.match(r"https://(docs\.|)aws\.amazon\.com/", argument.source):
            raise document.error(
                f"entry {number + 1}: {argument.source!r} is no page of AWS's documentation",
                "arguments",
                str(number),
                "source",
            )
    return found


def _entries(document: yamlfile.Document, key: str, type_: Any, rules: set[str]) -> Iterator[Any]:
    raw = document.data.get(key, [])
    if not isinstance(raw, list):
        raise document.error(f"{key} holds {yamlfile.in_words(raw)}, not a list", key)
    for number, item in enumerate(raw):
        entry = document.convert(item, type_, key, str(number))
        if entry.rule not in rules:
            words = unknown("rule", entry.rule, rules)
            raise document.error(f"entry {number + 1}: {words}", key, str(number), "rule")
        yield entry


# -- what the two said -----------------------------------------------------------------------------


class Verdict(msgspec.Struct, frozen=True):
    """One verdict: of one of our rules, or of one of the peer's checks."""

    resource: str
    name: str
    region: str
    status: str
    message: str = ""


def identity(verdict: Verdict, by: str) -> str:
    """What the two mean by a resource: they write Region, path and end of some ARNs differently."""
    if by != "resource":
        return verdict.region if by == "region" else by
    parts = verdict.resource.removesuffix(":*").split(":", 5)
    if len(parts) < 6:
        return verdict.resource
    service, last = parts[2], parts[5].replace(":", "/")
    # A bucket's name and a role's path know no Region. Clusters' ids are unique, and the emulator names
    # their Region at random.
    region = "" if service in ("s3", "iam", "elasticmapreduce") else parts[3]
    return f"{service}:{region}:{last}"


def ours(audit: Mapping[str, Any]) -> dict[str, list[Verdict]]:
    """By rule, the verdicts of wa-audit's audit.json. A failure that somebody accepted is one."""
    found = defaultdict(list)
    for finding in audit["findings"]:
        resource = audit["resources"].get(finding["resource"], {})
        status = "fail" if finding["status"] == "suppressed" else finding["status"]
        name, region = resource.get("name") or finding["resource"], resource.get("region", "")
        found[finding["rule"]].append(Verdict(finding["resource"], name, region, status, finding["message"]))
    return found


def theirs(findings: Iterable[Mapping[str, Any]]) -> dict[str, list[Verdict]]:
    """By check, the verdicts of Prowler's OCSF findings: PASS and FAIL; what it leaves to people is none."""
    found = defaultdict(list)
    for finding in findings:
        if finding["status_code"] not in ("PASS", "FAIL"):
            continue
        for part in finding["resources"]:
            name, region = part.get("name") or part["uid"], part.get("region") or ""
            told = finding.get("status_detail", "")
            verdict = Verdict(part["uid"], name, region, finding["status_code"], told)
            found[finding["metadata"]["event_code"]].append(verdict)
    return found


def pairs(
    same: Sequence[Topic], one: Mapping[str, list[Verdict]], other: Mapping[str, list[Verdict]]
) -> list[Pair]:
    """Every resource of every topic that at least one of the two judges, in order."""
    found = []
    for topic in same:
        mine = {identity(verdict, topic.by): verdict for verdict in one.get(topic.rule, ())}
        said: dict[str, list[tuple[str, Verdict]]] = defaultdict(list)
        for check in topic.checks:
            for verdict in other.get(check, ()):
                said[identity(verdict, topic.by)].append((check, verdict))
        found += [_pair(topic, key, mine.get(key), said.get(key, [])) for key in {*mine, *said}]
    return sorted(found, key=lambda pair: (pair.rule, pair.name, pair.resource))


def _pair(topic: Topic, key: str, mine: Verdict | None, said: list[tuple[str, Verdict]]) -> Pair:
    statuses = {verdict.status for _, verdict in said}
    status = "FAIL" if "FAIL" in statuses else "PASS" if statuses else NONE
    deciding = [(check, verdict) for check, verdict in said if verdict.status == status]
    name = mine.name if mine else deciding[0][1].name
    return Pair(
        rule=topic.rule,
        resource=key,
        name=key if topic.by != "resource" else name,
        ours=mine.status if mine else NONE,
        theirs=status,
        message=mine.message if mine else "",
        their_message=deciding[0][1].message if deciding else "",
        checks=tuple(sorted({check for check, _ in deciding})),
    )


def compare(found: list[Pair], why: Sequence[Argument]) -> Comparison:
    """Gives each disagreement its argument."""
    argued, unargued, used = [], [], set()
    for pair in found:
        if pair.agrees:
            continue
        fitting = next((argument for argument in why if argument.covers(pair)), None)
        if fitting is None:
            unargued.append(pair)
        else:
            argued.append((pair, fitting))
            used.add(id(fitting))
    return Comparison(found, argued, unargued, [argument for argument in why if id(argument) not in used])
