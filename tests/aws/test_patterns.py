"""EventBridge patterns against events, operator by operator."""

from __future__ import annotations

from typing import Any

import pytest

from wa_audit.aws import patterns

EVENT: dict[str, Any] = {
    "source": "aws.glue",
    "detail-type": "Glue Job State Change",
    "resources": ["arn:aws:glue:eu-west-1:1:job/a", "arn:aws:glue:eu-west-1:1:job/b"],
    "detail": {
        "jobName": "orders-load",
        "state": "FAILED",
        "attempts": 3,
        "final": True,
        "cause": None,
        "ip": "10.0.0.7",
        "steps": [{"name": "read", "ok": True}, {"name": "write", "ok": False}],
        "empty": [],
    },
}


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": fields}


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.glue", "aws.states"]},
        {"resources": ["arn:aws:glue:eu-west-1:1:job/b"]},
        detail(state=["FAILED", "TIMEOUT"]),
        detail(jobName=[{"prefix": "orders-"}]),
        detail(jobName=[{"prefix": {"equals-ignore-case": "ORDERS"}}]),
        detail(jobName=[{"suffix": "-load"}]),
        detail(jobName=[{"suffix": {"equals-ignore-case": "-LOAD"}}]),
        detail(jobName=[{"wildcard": "ord*-l*d"}]),
        detail(state=[{"equals-ignore-case": "failed"}]),
        detail(state=[{"anything-but": "SUCCEEDED"}]),
        detail(state=[{"anything-but": ["SUCCEEDED", "STOPPED"]}]),
        detail(state=[{"anything-but": {"prefix": "SUC"}}]),
        detail(state=[{"anything-but": {"suffix": ["DED", "PED"]}}]),
        detail(state=[{"anything-but": {"wildcard": "*CC*"}}]),
        detail(state=[{"anything-but": {"equals-ignore-case": ["succeeded"]}}]),
        detail(attempts=[{"numeric": [">", 0, "<=", 3]}]),
        detail(attempts=[3]),
        detail(attempts=[{"anything-but": 4}]),
        detail(final=[True]),
        detail(cause=[None]),
        detail(ip=[{"cidr": "10.0.0.0/24"}]),
        detail(state=[{"exists": True}]),
        detail(nowhere=[{"exists": False}]),
        detail(empty=[{"exists": False}]),
        detail(nested={"deeper": [{"exists": False}]}),
        detail(steps={"name": ["write"], "ok": [False]}),
        {"$or": [{"source": ["aws.states"]}, detail(state=["FAILED"])]},
        detail(**{"$or": [{"state": ["TIMEOUT"]}, {"jobName": [{"prefix": "orders"}]}]}),
        {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], **detail(state=["FAILED"])},
    ],
)
def test_matches(pattern: dict[str, Any]) -> None:
    assert patterns.matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        None,
        {},
        {"source": ["aws.states"]},
        {"source": []},
        {"sources": ["aws.glue"]},
        detail(state=["failed"]),
        detail(jobName=[{"prefix": "load"}]),
        detail(jobName=[{"wildcard": "orders"}]),
        detail(state=[{"anything-but": ["FAILED", "SUCCEEDED"]}]),
        detail(state=[{"anything-but": {"prefix": ["FAI", "TIM"]}}]),
        detail(nowhere=[{"anything-but": "FAILED"}]),
        detail(attempts=[{"numeric": [">", 3]}]),
        detail(attempts=["3"]),
        detail(final=[1]),
        detail(state=[{"numeric": ["=", 1]}]),
        detail(ip=[{"cidr": "10.1.0.0/24"}]),
        detail(jobName=[{"cidr": "10.1.0.0/24"}]),
        detail(state=[{"exists": False}]),
        detail(nowhere=[{"exists": True}]),
        detail(steps={"name": ["write"], "ok": [True]}),
        detail(state=[{"telepathy": "FAILED"}]),
        {"$or": [{"source": ["aws.states"]}, detail(state=["TIMEOUT"])]},
        {"$or": [{"source": ["aws.glue"]}], **detail(state=["TIMEOUT"])},
    ],
)
def test_does_not_match(pattern: dict[str, Any] | None) -> None:
    assert not patterns.matches(pattern, EVENT)


def test_a_wildcard_can_be_escaped() -> None:
    assert patterns.matches({"path": [{"wildcard": "a\\*b*"}]}, {"path": "a*bc"})
    assert not patterns.matches({"path": [{"wildcard": "a\\*b*"}]}, {"path": "axbc"})


def test_sample_events_have_what_filters_name() -> None:
    glue = patterns.glue_job_event("load", "TIMEOUT", account="1", region="eu-west-1")
    assert patterns.matches({"source": ["aws.glue"], "detail": {"severity": ["WARN"]}}, glue)
    arn = "arn:aws:states:eu-west-1:1:stateMachine:orders"
    ended = patterns.execution_event(arn, "FAILED", account="1", region="eu-west-1")
    assert patterns.matches({"detail": {"stateMachineArn": [arn], "status": ["FAILED"]}}, ended)
    assert patterns.matches({"resources": [{"wildcard": "*:execution:orders:*"}]}, ended)
