"""audit.json is read line by line where it is laid out so, and as a whole where not: to the same end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report import sample
from wa_audit.model import ConfigurationError
from wa_audit.report import audit as audits
from wa_audit.report import documents
from wa_audit.report.audit import Audit


def saved(path: Path, audit: Audit) -> bytes:
    raw = b"".join(audits.render(audit))
    path.write_bytes(raw)
    return raw


@pytest.mark.parametrize("indent", [None, 0, 1, 2, 4])
@pytest.mark.parametrize("findings", [0, 1, 200])
def test_however_it_is_laid_out_it_is_the_same_audit(
    tmp_path: Path, indent: int | None, findings: int
) -> None:
    path = tmp_path / "audit.json"
    audit = sample.audit(findings=findings, hostile=True)
    raw = saved(path, audit)
    assert audits.read(path) == audit
    path.write_text(json.dumps(json.loads(raw), indent=indent), encoding="utf-8")
    assert audits.read(path) == audit


@pytest.mark.parametrize("end", ["\r\n", "\n\n"])
def test_other_ends_of_lines_are_no_other_audit(tmp_path: Path, end: str) -> None:
    path = tmp_path / "audit.json"
    raw = saved(path, sample.audit(findings=20))
    path.write_bytes(raw.replace(b"\n", end.encode()))
    assert audits.read(path) == sample.audit(findings=20)


def test_its_own_layout_is_read_by_lines_and_shares_what_is_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.json"
    saved(path, sample.audit(findings=200))
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read as a whole"))
    read = audits.read(path)
    for name in ("rule", "resource", "message", "evidence"):
        values = [getattr(finding, name) for finding in read.findings]
        assert len({id(value) for value in values}) == len({json.dumps(value) for value in values}), name


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda raw: raw[:-1000], "not JSON, or cut off"),
        (lambda raw: raw[: raw.index(b"resources")], "not JSON, or cut off"),
        (lambda raw: raw[: raw.index(b'"rule":')], "not JSON, or cut off"),
        (
            lambda raw: raw.replace(b'"status":"fail"', b'"status":"failed"', 1),
            r"\$\.findings\[\d+\]\.status",
        ),
        (lambda raw: raw.replace(b'"status":"fail"', b'"status":fail', 1), "not JSON, or cut off"),
        (lambda raw: raw.replace(b'"message":"', b'"message":"\xff', 1), "audit.json: "),
        (lambda raw: raw.replace(b'"version": "1.', b'"version": "7.', 1), "audit version 7"),
        (lambda raw: b"[]", "not an audit"),
        (lambda raw: b"7", "not an audit"),
        (lambda raw: b"", "not JSON, or cut off"),
        (lambda raw: b"\xff\xfe", "not JSON, or cut off"),
    ],
)
def test_damage_is_one_line_that_says_where(tmp_path: Path, damage: Any, words: str) -> None:
    path = tmp_path / "audit.json"
    path.write_bytes(damage(saved(path, sample.audit(findings=20))))
    with pytest.raises(ConfigurationError, match=words) as raised:
        audits.read(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_folder_and_nothing_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        audits.read(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        audits.read(tmp_path / "audit.json")


def test_the_list_ends_where_it_ends(tmp_path: Path) -> None:
    """A document whose list is closed and whose rest is another list of the same look."""
    path = tmp_path / "x.json"
    path.write_bytes(b'{\n "findings": [\n  {"a":1},\n  {"a":2}\n ],\n "later": [\n  {"a":3}\n ]\n}\n')
    found = documents._by_lines(path, "findings", json.loads)
    assert found is not None
    rest, elements = found
    assert elements == [{"a": 1}, {"a": 2}]
    assert json.loads(rest) == {"findings": [], "later": [{"a": 3}]}
