"""audit.json: what it holds, that its schema describes it, and that it can be read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.rules.cases import ACCOUNT, REGION, deny, resource
from wa_audit import rulebook
from wa_audit.assess import assess
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Resource
from wa_audit.report import audit as audits
from wa_audit.report import write
from wa_audit.report.audit import Audit

BOOK = rulebook.load().select(rules=["sqs-queue-encrypted"])
HOSTILE = '<script>alert(1)</script>"\u2028\u202e\x1b]0;pwn\x07 "findings": []'


def build(*resources: Resource, gaps: Any = ()) -> Audit:
    run = Run(account=ACCOUNT, regions=(REGION,), started="2026-11-01T12:00:00Z")
    inventory = Inventory(run, resources, gaps)
    findings = list(assess(inventory, BOOK))
    return audits.build(inventory, BOOK, findings)


def queue(name: str, **data: Any) -> Resource:
    return resource("AWS::SQS::Queue", {"name": name, "data": data}, Run(account=ACCOUNT))


def _json(audit: Audit) -> Any:
    return json.loads(b"".join(audits.render(audit)))


@pytest.mark.parametrize(
    "audit",
    [
        build(),
        build(queue("good", SqsManagedSseEnabled=True), queue("bad")),
        build(gaps=deny("sqs:ListQueues", [])),
        build(queue(HOSTILE, Tags={HOSTILE: HOSTILE})),
    ],
    ids=["empty", "two", "denied", "hostile"],
)
def test_the_schema_describes_it(audit: Audit, tmp_path: Path) -> None:
    jsonschema.validate(_json(audit), json.loads(audits.schema()))
    path = tmp_path / "audit.json"
    path.write_bytes(b"".join(audits.render(audit)))
    assert audits.read(path) == audit


def test_the_published_schema_is_the_programs() -> None:
    published = Path(__file__).parent.parent / "docs" / "audit.schema.json"
    assert published.read_bytes() == audits.schema()


def test_rule_texts_stand_once_and_a_finding_is_small() -> None:
    queues = [queue(f"queue-{number:04}", SqsManagedSseEnabled=False) for number in range(1000)]
    raw = b"".join(audits.render(build(*queues)))
    assert raw.count(BOOK.rules[0].why.encode()) == 1
    assert len(raw) / 1000 < 1024


def test_a_refusal_is_one_gap_with_its_cost_and_its_cure() -> None:
    queues = [queue("a"), queue("b")]
    deny("sqs:GetQueueAttributes", queues)
    audit = build(*queues)
    assert [(gap.action, gap.findings) for gap in audit.gaps] == [("sqs:GetQueueAttributes", 2)]
    assert {finding.gap for finding in audit.findings} == {0}


def test_findings_refer_to_what_is_there() -> None:
    document = _json(build(queue("good", SqsManagedSseEnabled=True), gaps=deny("sns:ListTopics", [])))
    for finding in document["findings"]:
        assert finding["rule"] in document["rules"]
        assert finding["resource"] in document["resources"]
    for rule in document["rules"].values():
        assert {*rule["best_practices"], *rule["analytics_lens"]} <= set(document["practices"])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: text.replace(f'"version": "{audits.VERSION}"', '"version": "2.0"'), "version 2.0"),
        (lambda text: "{}", "not an audit"),
        (lambda text: "[]", "not an audit"),
        (lambda text: text.replace('"overall"', '"outer"'), "overall"),
    ],
    ids=["cut off", "newer", "something else", "a list", "without its score"],
)
def test_a_damaged_file_says_so(tmp_path: Path, damage: Any, words: str) -> None:
    path = tmp_path / "audit.json"
    path.write_text(damage(b"".join(audits.render(build(queue("a")))).decode()))
    with pytest.raises(ConfigurationError, match=words) as raised:
        audits.read(path)
    assert str(path) in str(raised.value)


def test_a_minor_version_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    text = b"".join(audits.render(build(queue("a")))).decode()
    path.write_text(text.replace(f'"version": "{audits.VERSION}"', '"version": "1.7", "news": 1'))
    assert audits.read(path).version == "1.7"


def test_csv_holds_a_row_a_finding_and_no_formula(tmp_path: Path) -> None:
    import pandas as pd

    names = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "plain", HOSTILE]
    [path] = write(build(*(queue(name) for name in names)), ["csv"], tmp_path)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(table) == len(names)
    for column in table.columns:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in table[column])
    assert "\x1b" not in path.read_text()
