"""The state machine of deploy/organization.yaml, run by two emulators of Step Functions.

moto runs it in this process, refuses ItemBatcher, so that each account is a batch, and tolerates any failure.
ministack runs it on loopback with the built zips.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
from moto.awslambda_simple.models import LambdaSimpleBackend
from msgspec import json as msgjson

from tests import deployed
from tests.test_aws_lambda import Context
from tests.test_aws_organization import session_of
from wa_audit import assembly, aws_organization, rulebook, stores, wiring
from wa_audit.collect.guard import UndeclaredOperation
from wa_audit.model import OutputError
from wa_audit.organization import outcomes, scanning, shards
from wa_audit.report.indented import as_json
from wa_audit.report.organization import Organization

TEMPLATE = Path(__file__).parents[1] / "deploy" / "organization.yaml"
REGION = deployed.REGION
RULES = ("sqs-queue-encrypted", "sqs-queue-dlq")
LONGEST = 120  # seconds
# moto runs state machines, and functions without Docker, which it must be told how.
SIMPLE: Any = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}


class _OutOfMemory(Exception):
    """What Lambda calls `Runtime.ExitError`."""


def for_moto(definition: str) -> str:
    """The definition as far as moto takes it, with waits that a test can bear."""
    found = json.loads(definition)
    accounts = found["States"]["Accounts"]
    del accounts["ItemBatcher"]
    accounts["ToleratedFailurePercentage"] = float(accounts["ToleratedFailurePercentage"])
    for state in (*found["States"].values(), *accounts["ItemProcessor"]["States"].values()):
        for retry in state.get("Retry", ()):
            retry |= {"IntervalSeconds": 1, "BackoffRate": 1.0}
            retry.pop("JitterStrategy", None)
            retry.pop("MaxDelaySeconds", None)
    return json.dumps(found)


Refuse = Callable[[str, Any], Exception | None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Organization]]:
    """Deploys the stack into moto, and runs it; `refuse` is what a call of a function fails with."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "WA_AUDIT_RULES": ",".join(RULES),
        "WA_AUDIT_WORKERS": "2",
    }.items():
        monkeypatch.setenv(name, value)
    with moto.mock_aws(config=SIMPLE):
        yield lambda refuse=lambda name, event: None: _run(monkeypatch, refuse, tmp_path)


def _run(monkeypatch: pytest.MonkeyPatch, refuse: Refuse, folder: Path) -> Organization:
    session = boto3.session.Session(region_name=REGION)
    organizations = session.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    for number in range(3):
        made = organizations.create_account(Email=f"{number}@example.com", AccountName=f"team-{number}")
        sqs = session_of(made["CreateAccountStatus"]["AccountId"]).client("sqs")
        for queue in range(number + 1):
            sqs.create_queue(QueueName=f"queue-{queue}")
    handle(monkeypatch, refuse)
    template = deployed.read(TEMPLATE.read_text())
    parameters = {"CodeBucket": "code", "ExternalId": "example", "MetricsDays": 0, "MaxConcurrency": 2}
    stack = deployed.Stack(
        session,
        template,
        "wa-audit-organization",
        parameters,
        lacking=frozenset({"put_bucket_policy"}),  # moto knows no conditions, and would refuse everything
        changed=for_moto,
    )
    stack.deploy()
    for function in ("Plan", "Scan", "Merge"):
        for name, value in stack.value(stack.properties(function)["Environment"]["Variables"]).items():
            monkeypatch.setenv(name, str(value))
    states = session.client("stepfunctions")
    started = states.start_execution(stateMachineArn=stack.names["Machine"])["executionArn"]
    deadline = time.monotonic() + LONGEST
    while (told := states.describe_execution(executionArn=started))["status"] == "RUNNING":
        assert time.monotonic() < deadline, states.get_execution_history(executionArn=started)
        time.sleep(0.2)
    bucket = stores.at(f"s3://{stack.names['Reports']}")
    (key,) = [key for key in bucket.keys("organizations") if key.endswith("organization.json")]
    ((_, raw),) = bucket.read([key])
    ((_, planned),) = bucket.read([key.replace("organization.json", "shards.json")])
    named = shards.parse(planned, "planned")
    # It is what the commands make of the same accounts, as far as an object came of them.
    there = set(bucket.keys("shards"))
    local = stores.at(str(folder))
    for shard in named:
        if shard.key in there:
            local.write(shard.key, _as_the_command(shard))
    assert local.keys("shards") == sorted(there)
    assert dict(local.read(there)) == dict(bucket.read(there))
    assert raw == as_json(assembly.assemble(local, named[0].run, named))
    found = msgjson.decode(raw, type=Organization)
    assert told["status"] == "SUCCEEDED"
    return found


def _as_the_command(shard: shards.Shard) -> Iterator[bytes]:
    """The object that a process of `wa-audit org scan` writes."""
    book = rulebook.load().select(pillars=(), rules=RULES, severities=())
    reading = scanning.Reading(wiring.make_plan(book, tags=False), metrics_days=0)
    judge = partial(wiring.assess, book=book, judging=wiring.Judging.of_everything())
    return outcomes.render(*scanning.attempt(shard, reading, judge, book.pillar_weights))


def handle(monkeypatch: pytest.MonkeyPatch, refuse: Refuse) -> None:
    """Has moto call our handlers, one at a time as in Lambda's process, and tell their errors as it does."""
    turn = threading.Lock()

    def invoke(
        self: Any, function_name: str, qualifier: Any, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        name = function_name.rpartition("-")[2]
        event = json.loads(body)
        try:
            if refusal := refuse(name, event):
                raise refusal
            with turn:
                answer = getattr(aws_organization, name)(event, Context())
        except (OutputError, _OutOfMemory, UndeclaredOperation) as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            kind = "Runtime.ExitError" if isinstance(error, _OutOfMemory) else type(error).__name__
            answer = {"errorType": kind, "errorMessage": str(error)}
        return json.dumps(answer).encode()

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)


def _account(event: Any) -> str:
    found = event["batch"]
    return str(found["Items"][0]["account"] if "Items" in found else found["account"])


def test_a_run_in_moto_ends_as_the_command_does(machine: Callable[..., Organization]) -> None:
    found = machine()
    assert (found.audited, found.planned, found.not_audited) == (4, 4, [])
    failing = {account.name: account.overall.counts.get("fail", 0) for account in found.accounts}
    assert failing == {"master": 0, "team-0": 1, "team-1": 2, "team-2": 3}


def test_what_a_bucket_refuses_once_is_tried_again(machine: Callable[..., Organization]) -> None:
    tried: list[str] = []

    def refuse(name: str, event: Any) -> Exception | None:
        if name != "scan" or _account(event) in tried:
            return None
        tried.append(_account(event))
        return OutputError("s3:PutObject failed: SlowDown")

    found = machine(refuse)
    assert len(tried) == 4
    assert (found.audited, found.planned) == (4, 4)


def test_an_account_that_ends_its_function_touches_no_other(machine: Callable[..., Organization]) -> None:
    tried: list[str] = []

    def refuse(name: str, event: Any) -> Exception | None:
        if name != "scan" or event["batch"].get("name") != "team-1":
            return None
        tried.append(event["attempt"])
        return _OutOfMemory("signal: killed")

    found = machine(refuse)
    assert tried == [0, 1, 2, 3]  # once, and three times more
    assert (found.audited, found.planned) == (3, 4)
    assert [(each.name, each.reason) for each in found.not_audited] == [("team-1", "never scanned")]
