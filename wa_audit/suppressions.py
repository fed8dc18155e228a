"""Failures that somebody has accepted: by whom, why, and until when.

    suppressions:
      - rule: s3-bucket-versioning
        resource: "arn:aws:s3:::scratch-*"     # an ARN or a name, * and ? allowed; optional, as are
        account: "123456789012"                # the account,
        region: eu-west-1                      # the Region,
        tag: {stage: sandbox}                  # and tags, all of which the resource must bear
        reason: Scratch space, made anew every night
        owner: data-platform@example.com
        expires: 2027-06-30                    # the last day on which it holds

A suppressed failure stays in the audit with its reason, is counted apart, and leaves the score. An entry
that has expired, or that nothing needs any more, is reported. Where tags could not be read, an entry that
asks for them does not hold.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from wa_audit import yamlfile
from wa_audit.aws import wildcards
from wa_audit.inventory import Inventory
from wa_audit.model import Finding, Status

_KEY = "suppressions"


class State(StrEnum):
    """What became of an entry in one run."""

    ACTIVE = "active"
    EXPIRED = "expired"
    UNUSED = "unused"
    NOT_JUDGED = "not_judged"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of a file. `rule` and `resource` may hold `*` and `?`; what is empty matches everything."""

    rule: str
    reason: str
    owner: str
    expires: datetime.date
    resource: str = ""
    account: str = ""
    region: str = ""
    tag: dict[str, str] = {}

    def covers(self, finding: Finding, inventory: Inventory) -> bool:
        """Whether it speaks of this finding."""
        return (
            wildcards.matches(self.rule, finding.rule)
            and self.account in ("", finding.account)
            and self.region in ("", finding.region)
            and (
                not self.resource
                or wildcards.matches(self.resource, finding.arn)
                or wildcards.matches(self.resource, finding.name)
            )
            and (not self.tag or self.tag.items() <= inventory.known_tags(finding.arn).items())
        )


def read(paths: Iterable[Path]) -> list[Entry]:
    """The entries of these files, in their order.

    Raises:
        ConfigurationError: a file cannot be read, or an entry lacks its reason, owner or expiry, or says
            what no entry can say; names file and line.
    """
    entries = []
    for path in paths:
        document = yamlfile.read(path, of="a list of suppressions")
        for key in document.data:
            if key != _KEY:
                raise document.error(f"{key!r} is not known here; a file holds a list of {_KEY!r}", str(key))
        listed = document.data.get(_KEY) or []
        if not isinstance(listed, list):
            raise document.error(f"{_KEY} holds {yamlfile.in_words(listed)}, not a list of entries", _KEY)
        entries += [_entry(document, raw, number) for number, raw in enumerate(listed)]
    return entries


def _entry(document: yamlfile.Document, raw: Any, number: int) -> Entry:
    place = (_KEY, str(number))
    entry = document.convert(raw, Entry, *place)
    for name in ("rule", "reason", "owner"):
        if not getattr(entry, name).strip():
            raise document.error(f"{name} is empty; say which, why and who", *place, name)
    return entry


class Suppressions:
    """The entries of one run, and what became of them. `day` decides what has expired."""

    def __init__(self, entries: Sequence[Entry], day: datetime.date) -> None:
        self._entries = entries
        self._day = day
        self._covered = [0] * len(entries)
        self._undecided = [False] * len(entries)

    def apply(self, findings: Iterable[Finding], inventory: Inventory) -> Iterator[Finding]:
        """The findings, of which a failure that an entry covers is suppressed by the first that does."""
        for finding in findings:
            yield self._applied(finding, inventory)

    def _applied(self, finding: Finding, inventory: Inventory) -> Finding:
        failing = finding.status is Status.FAIL
        if not failing and finding.status not in (Status.NOT_EVALUATED, Status.ERROR):
            return finding
        for number, entry in enumerate(self._entries):
            if failing and entry.covers(finding, inventory):
                self._covered[number] += 1
                if entry.expires >= self._day:
                    return msgspec.structs.replace(finding, status=Status.SUPPRESSED, suppression=number)
            elif not failing and wildcards.matches(entry.rule, finding.rule):
                self._undecided[number] = True
        return finding

    def outcomes(self, rules: Iterable[str]) -> Iterator[tuple[Entry, State, int]]:
        """Each entry, its state, and how many failures it covers, once all findings have gone through.

        `rules` are the ids that were judged. An entry is unused only where all that it could speak of was
        judged; otherwise nobody can tell.
        """
        judged = list(rules)
        for number, entry in enumerate(self._entries):
            covered = self._covered[number]
            if entry.expires < self._day:
                state = State.EXPIRED
            elif covered:
                state = State.ACTIVE
            elif self._undecided[number] or not any(wildcards.matches(entry.rule, rule) for rule in judged):
                state = State.NOT_JUDGED
            else:
                state = State.UNUSED
            yield entry, state, covered
