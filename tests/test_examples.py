"""The examples under docs/examples work as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml

from tests.rules import cases
from wa_audit import rulebook
from wa_audit.assess import judge
from wa_audit.collect import plan
from wa_audit.collect.kinds import Call, Kind
from wa_audit.inventory import Inventory, Run
from wa_audit.model import Pillar, Resource, Severity
from wa_audit.rulebook import Rulebook

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "examples"
BUILT_IN = rulebook.load()
NOTHING = Inventory(Run(account="123456789012"), [])


def status(book: Rulebook, rule: str, type_: str, **data: Any) -> str:
    """The verdict on one resource with these facts."""
    arn = "arn:aws:any:eu-west-1:123456789012:orders"
    resource = Resource(type=type_, arn=arn, name="orders", account="123456789012", data=data)
    return str(judge(book[rule], resource, NOTHING).status)


def added(book: Rulebook) -> set[str]:
    return {rule.id for rule in book.rules} - {rule.id for rule in BUILT_IN.rules}


def test_the_overlay() -> None:
    book = rulebook.load(overlays=[EXAMPLES / "overlay" / "my-rules.yaml"])
    plan.plan(book.rules)
    assert added(book) == {"house-queue-owner"}
    assert {rule.id for rule in BUILT_IN.rules} - {rule.id for rule in book.rules} == {
        "athena-workgroup-result-encryption"
    }
    assert book["sqs-queue-dlq"].severity is Severity.CRITICAL is not BUILT_IN["sqs-queue-dlq"].severity
    assert (book.pillar_weights[Pillar.RELIABILITY], book.least_coverage) == (2, 60)

    slow = {"GlueVersion": "4.0", "Timeout": 700, "Command": {"Name": "glueetl"}}
    assert status(BUILT_IN, "glue-job-timeout", "AWS::Glue::Job", **slow) == "fail"
    assert status(book, "glue-job-timeout", "AWS::Glue::Job", **slow) == "pass"

    queue = "AWS::SQS::Queue"
    assert book["house-queue-owner"].theme == "ownership"
    assert status(book, "house-queue-owner", queue, Tags={"owner": "data"}) == "pass"
    assert status(book, "house-queue-owner", queue, Tags={}) == "fail"
    assert status(book, "house-queue-owner", queue, RedriveAllowPolicy={"a": 1}) == "not_applicable"


def test_the_folder_of_checks() -> None:
    book = rulebook.load(folders=[EXAMPLES / "checks"])
    plan.plan(book.rules)
    assert added(book) == {"house-stream-retention"}
    stream, ours = "AWS::Kinesis::Stream", {"team": "orders"}
    assert status(book, "house-stream-retention", stream, Tags=ours, RetentionPeriodHours=168) == "pass"
    assert status(book, "house-stream-retention", stream, Tags=ours, RetentionPeriodHours=24) == "fail"
    assert status(book, "house-stream-retention", stream, RetentionPeriodHours=24) == "not_applicable"


@pytest.mark.xdist_group("packaging")
def test_the_plugin(tmp_path: Path) -> None:
    source, site = tmp_path / "plugin", tmp_path / "site"
    # Built from a copy: a build leaves nothing in the project.
    for path in (EXAMPLES / "plugin").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            copy = source / path.relative_to(EXAMPLES / "plugin")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(site), str(source)], check=True, timeout=120
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(site), str(ROOT)])
        return subprocess.run(
            [sys.executable, "-m", "wa_audit", "rules", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    listed = run("--plugin", "house", "--pillar", "cost-optimization")
    assert "house-cost-centre" in listed.stdout, listed.stderr
    # Installed is not enough: nothing of a package runs unless it is asked for.
    assert "house-cost-centre" not in run().stdout
    explained = run("--plugin", "house", "show", "house-cost-centre").stdout
    assert "plugin house" in explained
    assert "Passes where the function bears the tag" in explained


# -- what CONTRIBUTING.md tells people to write ------------------------------------------------------


def blocks(language: str) -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_rule_that_contributing_adds(tmp_path: Path) -> None:
    words, told = blocks("yaml")
    (check, *_) = blocks("python")
    (tmp_path / "sustainability").mkdir()
    (tmp_path / "rules.yaml").write_text(words)
    (tmp_path / "sustainability" / "polling.py").write_text(check)
    rule = rulebook.load(folders=[tmp_path])["sqs-long-polling"]
    plan.plan([rule])
    for case in yaml.safe_load(told):
        resource, inventory = cases.build(case, rule.types[0])
        verdict = judge(rule, resource, inventory)
        assert verdict.status == case["status"]
        assert case.get("message", "") in verdict.message


def test_the_kind_that_contributing_adds() -> None:
    (_, kind, _) = blocks("python")
    (made,) = eval(f"({kind.strip()})", {"Kind": Kind, "Call": Call})
    service = botocore.session.get_session().get_service_model(made.service)
    for call in made.calls:
        operation = service.operation_model(call.operation)
        assert {*call.args, *call.params} <= set(operation.input_shape.members)
        assert set(operation.input_shape.required_members) <= {*call.args, *call.params}
        assert call.take in operation.output_shape.members
    listed = service.operation_model(made.list.operation).output_shape.members["Parameters"].member
    assert set(made.list.keep.split()) <= set(listed.members)


def test_the_format_that_contributing_adds() -> None:
    from tests.test_audit import build, queue

    (_, _, module) = blocks("python")
    names: dict[str, Any] = {}
    exec(module, names)
    lines = b"".join(names["render"](build(queue("good", SqsManagedSseEnabled=True)))).decode().splitlines()
    assert "Security: 100.0 (coverage 100.0)" in lines
    assert len(lines) == 6
