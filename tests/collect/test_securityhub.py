"""Findings in AWS's Security Finding Format, and their way to Security Hub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import moto
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator
from click.testing import CliRunner

from tests.collect import answers
from tests.report import sample
from wa_audit.cli import cli
from wa_audit.collect import kinds, securityhub
from wa_audit.collect.guard import WRITES, Guard, UndeclaredOperation
from wa_audit.collect.session import AwsSession
from wa_audit.model import ConfigurationError, Status
from wa_audit.report import asff
from wa_audit.report import audit as audits
from wa_audit.report.audit import Audit

MODEL = botocore.session.get_session().get_service_model("securityhub")
IMPORT = MODEL.operation_model("BatchImportFindings").input_shape
# Of the API reference: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
MOST = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "Text": 512, "ProductName": 128}


@pytest.fixture(params=[False, True], ids=["plain", "hostile"])
def audit(request: pytest.FixtureRequest) -> Audit:
    mixed = (Status.FAIL, Status.PASS, Status.NOT_APPLICABLE, Status.ERROR)
    return sample.audit(hostile=request.param, findings=300, statuses=mixed)


# -- the format ------------------------------------------------------------------------------------


def test_botocore_takes_what_is_written(audit: Audit) -> None:
    written = json.loads(b"".join(asff.render(audit)))
    assert written == list(asff.findings(audit))
    for start in range(0, len(written), securityhub.BATCH):
        batch = {"Findings": written[start : start + securityhub.BATCH]}
        report = ParamValidator().validate(batch, IMPORT)  # type: ignore[no-untyped-call]
        assert not report.has_errors(), report.generate_report()


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _texts(child, str(key))
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child, name)
    elif isinstance(value, str):
        yield name, value


def test_every_text_shows_something_and_keeps_to_its_length(audit: Audit) -> None:
    # botocore checks neither patterns nor lengths; the service does.
    for finding in asff.findings(audit):
        assert len(json.dumps(finding)) < 240_000
        for name, text in _texts(finding):
            assert re.search(r"\S", text), name
            # A resource's identifier stays what it is.
            assert text.isprintable() or name == "Id", name
            assert len(text.encode()) <= MOST.get(name, 2048), name


def test_each_outcome_has_its_status_and_what_does_not_apply_is_left_out(audit: Audit) -> None:
    outcomes = {"fail": "FAILED", "pass": "PASSED", "error": "WARNING", "not_evaluated": "WARNING"}
    wanted = {f.id: outcomes[f.status] for f in audit.findings if f.status in outcomes}
    made = {f["Id"].rpartition("/")[2]: f for f in asff.findings(audit)}
    assert {id_: f["Compliance"]["Status"] for id_, f in made.items()} == wanted
    for finding in audit.findings:
        if finding.gap is not None:
            (reason,) = made[finding.id]["Compliance"]["StatusReasons"]
            assert reason["ReasonCode"] == audit.gaps[finding.gap].reason.upper()


def test_resource_types_are_security_hubs_own_where_it_has_them() -> None:
    known = {name.lower(): name for name in MODEL.shape_for("ResourceDetails").members}
    camel = {kind.type: kind.type.replace("::", "").lower() for kind in kinds.all_kinds()}
    wanted = {type_: known[name] for type_, name in camel.items() if name in known}
    assert wanted.items() <= asff._TYPES.items()
    assert set(asff._TYPES.values()) <= set(known.values())


def test_a_suppressed_failure_says_by_whom() -> None:
    audit = audits.read(Path(__file__).parents[1] / "golden" / "audit.json")
    entry = audits.SuppressionFacts(
        rule="r",
        resource="",
        account="",
        region="",
        tag={},
        reason="moves in May",
        owner="data-platform",
        expires="2027-01-01",
        state="active",  # type: ignore[arg-type]
        findings=1,
    )
    first = audits.msgspec.structs.replace(audit.findings[0], status=Status.SUPPRESSED, suppression=0)
    changed = audits.msgspec.structs.replace(audit, findings=[first], suppressions=[entry])
    (made,) = asff.findings(changed)
    assert made["Workflow"] == {"Status": "SUPPRESSED"}
    assert made["Note"]["Text"] == "moves in May"
    assert made["Note"]["UpdatedBy"] == "data-platform"


# -- the way there ---------------------------------------------------------------------------------


def _by_region(audit: Audit) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in asff.findings(audit):
        found.setdefault(finding["ProductArn"].split(":")[3], []).append(finding)
    return found


def test_the_write_is_declared_apart_and_no_plan_can_ask_for_it() -> None:
    assert not WRITES & {kind.operation(call) for kind, call in kinds.declared()}
    guard = Guard()
    guard.allow(WRITES | {"sqs:ListQueues"})
    assert not WRITES & guard.allowed
    guard.allow_writes()
    assert guard.allowed >= WRITES
    guard.allow({"sqs:ListQueues"})
    assert not WRITES & guard.allowed


def test_without_being_asked_nothing_can_be_sent() -> None:
    session = answers.session(lambda operation, parameters: answers.response({}))
    with pytest.raises(UndeclaredOperation):
        session.client("securityhub", "eu-west-1").batch_import_findings(Findings=_findings(1))


def test_security_hub_holds_what_was_sent_however_often() -> None:
    audit = sample.audit(findings=300)
    wanted = _by_region(audit)
    assert max(map(len, wanted.values())) > securityhub.BATCH
    with moto.mock_aws():
        mocked = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example", region_name="eu-west-1")
        session = AwsSession(boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example"))
        for _ in range(2):
            sent = securityhub.send(session, "123456789012", wanted)
            assert sent.taken == {region: len(own) for region, own in wanted.items()}
            assert sent.failures == []
        for region, own in wanted.items():
            hub = mocked.client("securityhub", region)
            pages = hub.get_paginator("get_findings").paginate()
            held = [finding["Id"] for page in pages for finding in page["Findings"]]
            assert sorted(held) == sorted(finding["Id"] for finding in own)


def _stubbed(*responses: dict[str, Any] | tuple[str, str]) -> tuple[AwsSession, Stubber]:
    """A session whose Security Hub answers as told, in turn, through botocore's own validation."""
    session = answers.session(lambda operation, parameters: answers.response(answers.IDENTITY))
    stubber = Stubber(session.client("securityhub", "eu-west-1"))
    for answer in responses:
        if isinstance(answer, tuple):
            stubber.add_client_error("batch_import_findings", *answer)
        else:
            stubber.add_response("batch_import_findings", answer)
    stubber.activate()
    return session, stubber


def _findings(count: int) -> list[dict[str, Any]]:
    return list(asff.findings(sample.audit(findings=count * 3)))[:count]


def test_what_is_not_taken_is_told_one_by_one() -> None:
    own = _findings(150)
    bad = {"Id": own[3]["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "Types must be a taxonomy"}
    session, stubber = _stubbed(
        {"FailedCount": 1, "SuccessCount": 99, "FailedFindings": [bad]},
        {"FailedCount": 0, "SuccessCount": 50, "FailedFindings": []},
    )
    sent = securityhub.send(session, "123456789012", {"eu-west-1": own})
    stubber.assert_no_pending_responses()
    assert sent.taken == {"eu-west-1": 149}
    assert sent.failures == [
        securityhub.Failure(own[3]["Id"], "eu-west-1", "InvalidInput", "Types must be a taxonomy")
    ]


def test_a_hub_that_is_not_switched_on_is_asked_once() -> None:
    own = _findings(250)
    session, stubber = _stubbed(("InvalidAccessException", "not subscribed to AWS Security Hub"))
    sent = securityhub.send(session, "123456789012", {"eu-west-1": own})
    stubber.assert_no_pending_responses()
    assert sent.taken == {"eu-west-1": 0}
    assert [f.id for f in sent.failures] == [finding["Id"] for finding in own]
    assert {f.code for f in sent.failures} == {"InvalidAccessException"}


def test_a_batch_that_fails_does_not_stop_the_next() -> None:
    own = _findings(150)
    session, _ = _stubbed(
        ("InternalException", "try again"), {"FailedCount": 0, "SuccessCount": 50, "FailedFindings": []}
    )
    sent = securityhub.send(session, "123456789012", {"eu-west-1": own})
    assert sent.taken == {"eu-west-1": 50}
    assert len(sent.failures) == 100


def test_an_answer_that_does_not_add_up_counts_for_nothing() -> None:
    own = _findings(10)
    session, _ = _stubbed({"FailedCount": 0, "SuccessCount": 7, "FailedFindings": []})
    sent = securityhub.send(session, "123456789012", {"eu-west-1": own})
    assert sent.taken == {"eu-west-1": 0}
    assert {f.code for f in sent.failures} == {"Malformed"}


def test_another_accounts_credentials_send_nothing() -> None:
    session, _ = _stubbed()
    with pytest.raises(ConfigurationError, match="audit is of account 999999999999, and the credentials"):
        securityhub.send(session, "999999999999", {"eu-west-1": _findings(1)})


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (("ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("SECRET_ACCESS_KEY", "example")):
        monkeypatch.setenv(f"AWS_{name}", value)
    path = tmp_path / "audit.json"
    path.write_bytes(b"".join(audits.render(sample.audit(findings=300))))
    return path


def test_the_command_says_what_each_hub_took(written: Path) -> None:
    with moto.mock_aws():
        done = CliRunner().invoke(
            cli,
            ["report", str(written), "--format", "asff", "-o", str(written.parent), "--send", "securityhub"],
        )
    assert done.exit_code == 0, done.output
    for region, own in _by_region(sample.audit(findings=300)).items():
        assert f"Security Hub in {region} took {len(own)} of {len(own)} findings" in done.output


def test_the_command_ends_with_6_and_names_what_was_not_taken(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wa_audit.model import OutputError

    failing = securityhub.Failure("wa-audit/x", "eu-west-1", "InvalidInput", "bad \x1b[31m type")
    many = [failing._replace(id=str(n), region="us-east-1", code="InvalidAccessException") for n in range(60)]
    monkeypatch.setattr(
        securityhub, "send", lambda *_: securityhub.Sent({"eu-west-1": 9, "us-east-1": 0}, [failing, *many])
    )
    runner = CliRunner()
    done = runner.invoke(cli, ["report", str(written), "-o", str(written.parent), "--send", "securityhub"])
    assert isinstance(done.exception, OutputError)
    assert done.exception.exit_code == 6
    assert "did not take 61 findings" in str(done.exception)
    assert r"wa-audit/x; InvalidInput: bad \x1b[31m type" in done.output
    assert done.output.count("InvalidAccessException") == 1
    assert "60 findings; InvalidAccessException" in done.output
