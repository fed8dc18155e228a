"""Lists that hang on what is found: none in an empty region, and all where anything may be."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from benchmarks import loopback
from tests.collect import answers
from wa_audit import rulebook
from wa_audit.collect import Interrupted, collect
from wa_audit.collect.hanging import Hanging
from wa_audit.collect.journal import Journal
from wa_audit.collect.kinds import Kind, all_kinds, by_type
from wa_audit.collect.plan import Plan, affordable, within, without_metrics
from wa_audit.collect.session import AwsSession
from wa_audit.collect.units import Tally
from wa_audit.inventory import Inventory, lines
from wa_audit.model import Reason
from wa_audit.wiring import make_plan

FULL, EMPTY = "eu-west-1", "eu-central-1"
KEY, ALIAS, XRAY = "AWS::KMS::Key", "AWS::KMS::Alias", "AWS::XRay::EncryptionConfig"
STREAM, QUOTA = "AWS::Kinesis::Stream", "AWS::ServiceQuotas::Quota"
NOW = "2026-11-01T00:00:00Z"


class Account:
    """Two streams and two keys in one region, an alias and a quota that nobody asks for elsewhere."""

    def __init__(self, **instead: AWSResponse) -> None:
        self.instead = {name.replace("_", ":"): answer for name, answer in instead.items()}
        self.calls: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def __call__(self, operation: str, parameters: dict[str, Any]) -> AWSResponse:
        region = parameters["url"].split(".")[1]
        with self._lock:
            self.calls[operation, region] += 1
        if operation in self.instead:
            return self.instead[operation]
        here = region == FULL
        arn = f"arn:aws:%s:{region}:123456789012:%s"
        match operation:
            case "sts:GetCallerIdentity":
                return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
            case "kms:ListKeys":
                keys = [{"KeyId": name, "KeyArn": arn % ("kms", f"key/{name}")} for name in ("k1", "k2")]
                return answers.response({"Keys": keys if here else []})
            case "kms:ListAliases":
                alias = {"AliasName": "alias/lake", "AliasArn": arn % ("kms", "alias/lake")}
                return answers.response({"Aliases": [{**alias, "TargetKeyId": "k1"}]})
            case "xray:GetEncryptionConfig":
                return answers.response({"EncryptionConfig": {"Status": "ACTIVE", "Type": "NONE"}})
            case "kinesis:ListStreams":
                streams = [
                    {
                        "StreamName": name,
                        "StreamARN": arn % ("kinesis", f"stream/{name}"),
                        "StreamStatus": "ACTIVE",
                    }
                    for name in ("orders", "clicks")
                ]
                found = streams if here else []
                names = [stream["StreamName"] for stream in found]
                return answers.response(
                    {"StreamNames": names, "StreamSummaries": found, "HasMoreStreams": False}
                )
            case "service-quotas:ListServiceQuotas":
                code = parameters["ServiceCode"]
                quota = {"ServiceCode": code, "QuotaCode": "L-1", "QuotaName": "shards", "Value": 200.0}
                return answers.response({"Quotas": [quota]})
        raise AssertionError(f"unexpected call of {operation}")

    def asked(self, operation: str) -> dict[str, int]:
        return {region: many for (name, region), many in self.calls.items() if name == operation}


def _plan(*types: str) -> Plan:
    return {type_: (by_type()[type_], ()) for type_ in types}


def _read(account: Account, made: Plan, **more: Any) -> Inventory:
    return collect(answers.session(account), made, [FULL, EMPTY], metrics_days=0, as_of=NOW, **more)


def _hanging() -> list[Kind]:
    return [kind for kind in all_kinds() if kind.within]


@pytest.mark.parametrize("kind", _hanging(), ids=lambda kind: kind.type)
def test_what_a_list_hangs_on_is_listed_in_every_region_anyway(kind: Kind) -> None:
    for type_ in kind.within.split():
        above = by_type()[type_]
        assert (above.scope, above.parent, above.within) == ("regional", "", "")
    assert (kind.scope, kind.parent) == ("regional", "")


def test_the_rulebook_reads_what_its_lists_hang_on() -> None:
    """Else they are read in every region: not wrong, and dearer."""
    made = make_plan(rulebook.load(), tags=True)
    assert {kind.type for kind, _ in made.values() if within(made, kind)} >= {
        kind.type for kind in _hanging() if kind.type in made
    }


def test_an_empty_region_is_not_asked_for_what_it_cannot_have() -> None:
    account = Account()
    found = _read(account, _plan(KEY, ALIAS, XRAY))
    assert account.asked("kms:ListKeys") == {FULL: 1, EMPTY: 1}
    assert account.asked("kms:ListAliases") == account.asked("xray:GetEncryptionConfig") == {FULL: 1}
    assert {one.region for one in found.of(ALIAS)} == {one.region for one in found.of(XRAY)} == {FULL}
    # Nothing is missing elsewhere: it is known that there is none.
    assert found.of(ALIAS, region=EMPTY) == []
    assert found.list_gaps(ALIAS) == []
    assert found.run.calls == account.calls.total()


@pytest.mark.parametrize(
    "refusal", [answers.error("AccessDeniedException", 403), answers.response(b'{"Keys": [{"Ke')]
)
def test_a_list_that_failed_tells_of_no_empty_region(refusal: AWSResponse) -> None:
    account = Account(kms_ListKeys=refusal)
    found = _read(account, _plan(KEY, ALIAS, XRAY))
    assert {alias.region for alias in found.of(ALIAS)} == {FULL, EMPTY}
    assert {gap.type for gap in found.gaps if gap.reason is not Reason.NOT_COLLECTED} == {KEY}


def test_one_of_several_is_enough() -> None:
    """Of what quotas hang on, the streams can be listed, and the functions cannot."""
    types = by_type()[QUOTA].within.split()
    hanging = Hanging(_plan(QUOTA, *types), [])
    quota = by_type()[QUOTA]
    assert not hanging.is_due(quota, FULL)
    assert hanging.is_news((STREAM, FULL))
    assert hanging.opened_by((STREAM, FULL)) == [quota]
    assert not hanging.is_news((STREAM, FULL))
    assert hanging.is_due(quota, FULL)
    assert not hanging.is_due(quota, EMPTY)


def test_what_the_plan_does_not_read_decides_nothing() -> None:
    """Whether there are keys is not known where nobody asks."""
    account = Account()
    found = _read(account, _plan(ALIAS, XRAY, STREAM, QUOTA))
    assert account.asked("kms:ListAliases") == {FULL: 1, EMPTY: 1}
    # Functions are among what quotas hang on, and are not read either.
    assert account.asked("service-quotas:ListServiceQuotas") == {FULL: 6, EMPTY: 6}
    assert {alias.region for alias in found.of(ALIAS)} == {FULL, EMPTY}


@pytest.mark.parametrize("refused", [False, True])
def test_a_run_that_was_stopped_takes_up_what_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """After any line of its journal; also where all it knows is that the keys could not be listed."""
    made = _plan(KEY, ALIAS, XRAY)
    instead = {"kms_ListKeys": answers.error("AccessDeniedException", 403)} if refused else {}
    monkeypatch.setattr(Journal, "end", lambda self: None)
    journal = tmp_path / "journal"
    whole = b"".join(lines(_read(Account(**instead), made, journal=journal)))
    written = journal.read_bytes().splitlines(keepends=True)
    assert len(written) > 6
    for number in range(1, len(written) + 1):
        journal.write_bytes(b"".join(written[:number]))
        account = Account(**instead)
        assert b"".join(lines(_read(account, made, journal=journal, resume=True))) == whole
    assert account.calls.total() == 2  # whose account it is


def test_a_run_that_is_stopped_says_what_hangs_on_what_it_has_not_read() -> None:
    """Of a list that was never begun nobody can say that it would have been empty."""

    def stop(_: Tally) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        _read(Account(), _plan(KEY, ALIAS, XRAY), on_wait=stop)
    unread = {gap for gap in stopped.value.inventory.gaps if gap.reason is Reason.INTERRUPTED}
    assert {(gap.type, gap.region) for gap in unread} == {
        (type_, region) for type_ in (KEY, ALIAS, XRAY) for region in (FULL, EMPTY)
    }


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_nobody_asks_an_empty_account_for_what_hangs(processes: int) -> None:
    """Whichever process reads a service; and nothing is said to be missing."""
    made = affordable(without_metrics(make_plan(rulebook.load(), tags=True)))
    with loopback.process(loopback.Account(0, 0, 0, 0, 0, 0), latency=0.0) as aws:
        inner = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "example", region_name=FULL)
        session = AwsSession(inner, endpoint_url=aws.endpoint, workers=8)
        found = collect(session, made, [FULL], metrics_days=0, as_of=NOW, processes=processes)
        counts: dict[str, Any] = aws.counts()
    assert found.run.complete
    assert found.run.calls == counts["calls"]
    asked = {operation.rpartition(".")[2] for operation in counts["by_operation"]}
    lists = {bool(within(made, kind)): set[str]() for kind, _ in made.values()}
    for kind, _ in made.values():
        lists[bool(within(made, kind))].add(kind.list.operation)
    assert {"DescribeVpcs", "ListKeys", "ListNamespaces"} <= asked & lists[False]
    assert not asked & (lists[True] - lists[False])
    assert found.of("AWS::EC2::Subnet") == []
