"""Canaries: every text that AWS's answers can hold looks like a secret; none may be in any byte written.

What a resource is called, and what AWS chooses from a list of its own, is left as it is. Everything else
is a secret of a known shape, another one in each field, so that what is found says where it leaked.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from rich.console import Console

from tests.collect import answers
from tests.faults import shapes
from wa_audit import inventory as inventories
from wa_audit import rulebook
from wa_audit.assess import assess
from wa_audit.collect import collect, kinds
from wa_audit.collect.journal import Journal
from wa_audit.collect.plan import Plan
from wa_audit.report import audit as audits
from wa_audit.report import embedded, terminal, write

BOOK = rulebook.load()
WRITTEN = {"audit.json", "findings.csv", "inventory.jsonl", "journal.copy", "report.html"}
# Identifiers, and what AWS itself writes: no place for what a person types.
_IDENTIFIER = re.compile(
    r"(arns?|ids?|identifiers?|name|names|types?|versions?|status|state|region|regions|key|keys|url|urls|zone|cidr\w*|mode|"
    r"class|engine|protocol|code|level|format|etag|unit|size|start|end|date|time|codec|frequency|label|method|"
    r"workflows|families|releaselabels|owner|accountid|namespace|algorithm|priority)$",
    re.IGNORECASE,
)


class Canaries:
    """Secrets by where they were planted."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}
        self.service = ""

    def __call__(self, shape: Any, path: tuple[str, ...]) -> str:
        plain = shapes.plain_text(shape, path)
        name = path[-1] if path else ""
        if getattr(shape, "enum", None) or _IDENTIFIER.search(name) or plain.startswith("arn:"):
            return plain.replace(":thing/", f":thing/{self.service.replace(':', '-')}-")
        canary = self.plant(f"{self.service}.{'.'.join(path)}")
        return json.dumps({"Comment": canary}) if plain.startswith("{") else canary

    def plant(self, where: str) -> str:
        digest = hashlib.sha256(where.encode()).hexdigest()
        core = digest[:16].upper()
        self.planted[core] = where
        match int(digest[20], 16) % 3:
            case 0:
                return f"AKIA{core}"
            case 1:
                return f"postgres://etl:{core}@db.internal/sales?password={core}"
        return f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{core}.{core}"

    def leaked(self, written: bytes) -> set[str]:
        found = {core.decode() for core in re.findall(rb"[0-9A-F]{16}", written)}
        return {where for core, where in self.planted.items() if core in found}


@contextmanager
def journal_kept(copy: Path) -> Iterator[None]:
    """The journal of a run that is whole is removed; a copy of it stays."""

    def end(journal: Journal) -> None:
        assert journal._path is not None
        journal._path.rename(copy)

    with mock.patch.object(Journal, "end", end):
        yield


def everything() -> Plan:
    return {kind.type: (kind, kind.details) for kind in kinds.all_kinds()}


class Account:
    """Answers each operation with canaries, or with an error whose words are one."""

    def __init__(self, canaries: Canaries, *, refusing: bool = False) -> None:
        self._canaries = canaries
        self._refusing = refusing
        # Botocore's events call a service by its id.
        self._rows = {
            f"{shapes.model(kind, call).service_model.service_id.hyphenize()}:{call.operation}": (kind, call)
            for kind, call in reversed(list(kinds.declared()))
        }

    def __call__(self, operation: str, parameters: dict[str, Any]) -> answers.AWSResponse:
        if operation == "sts:GetCallerIdentity":
            return answers.response(answers.IDENTITY)
        kind, call = self._rows[operation]
        model = shapes.model(kind, call)
        self._canaries.service = operation
        if self._refusing and call is not kind.list:
            words = self._canaries.plant(f"{operation} error")
            body, headers = shapes.write_error(model, "AccessDenied", 403, words)
            return answers.response(body, 403, headers)
        body, headers = shapes.write(model, shapes.healthy(kind, call, text=self._canaries))
        return answers.response(body, 200, headers)


@pytest.mark.parametrize("refusing", [False, True], ids=["answers", "errors"])
def test_no_secret_is_written(
    refusing: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "wa_audit")
    canaries = Canaries()
    session = answers.session(Account(canaries, refusing=refusing))
    journal, stream = tmp_path / "journal", io.StringIO()
    with journal_kept(tmp_path / "journal.copy"):
        inventory = collect(session, everything(), ["eu-west-1"], workers=1, journal=journal)
    inventories.write(inventory, tmp_path / "inventory.jsonl")
    findings = list(assess(inventory, BOOK))
    audit = audits.build(inventory, BOOK, findings)
    write(audit, ["json", "html", "csv"], tmp_path)
    terminal.show(audit, Console(file=stream, highlight=False))

    files = sorted(tmp_path.iterdir())
    assert {file.name for file in files} == WRITTEN
    output = capfd.readouterr()
    said = "".join((stream.getvalue(), caplog.text, output.out, output.err)).encode()
    written = {file.name: file.read_bytes() for file in files}
    written |= {"report.html": embedded.laid_open(written["report.html"]), "said": said}
    leaks = {name: canaries.leaked(content) for name, content in written.items()}
    assert [gap for gap in inventory.gaps if not gap.fields] == []
    assert len(inventory) > len(kinds.all_kinds()) * 0.9
    assert len(canaries.planted) > 1000
    assert sorted(set().union(*leaks.values())) == []
