"""SQL that AWS runs in its own time: begun, waited for, fetched; and what becomes of it if it is not done."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.collect import answers
from tests.faults import shapes
from tests.test_cli import Call, call  # noqa: F401  (call is a fixture)
from wa_audit import invocation
from wa_audit.collect import Interrupted, OutOfTime, collect, doctor, forecast, missing, plan, sql, waiting
from wa_audit.collect.errors import Unfinished
from wa_audit.collect.guard import UndeclaredOperation
from wa_audit.collect.kinds import by_type
from wa_audit.collect.permissions import policies
from wa_audit.collect.plan import Plan
from wa_audit.inventory import Inventory, lines
from wa_audit.model import Reason, Resource, Unread
from wa_audit.rulebook import load

CLUSTER = "AWS::Redshift::Cluster"
ID = "d9b6c0c9-0747-4bf4-b142-e8883122f766"
RUN, WAIT = "redshift-data:ExecuteStatement", "redshift-data:DescribeStatement"
FETCH = "redshift-data:GetStatementResult"
SQL = {RUN, WAIT, FETCH}


class Warehouse:
    """A cluster whose statement goes through `states`, and then gives `pages` of records."""

    def __init__(self, *states: Any, status: str = "available", pages: tuple[Any, ...] = (), **instead: Any):
        self.calls: Counter[str] = Counter()
        self.asked: list[dict[str, Any]] = []
        self._states = list(states or ({"Status": "FINISHED"},))
        self._status = status
        self._pages = pages or ([_record("lake", "orders")],)
        self._instead = instead

    def __call__(self, operation: str, parameters: dict[str, Any]) -> Any:
        name = operation.rpartition(":")[2]
        self.calls[name] += 1
        self.asked.append(parameters)
        if name in self._instead:
            return self._instead[name]
        match name:
            case "GetCallerIdentity":
                return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
            case "DescribeClusters":
                return self._clusters()
            case "ExecuteStatement":
                return answers.response({"Id": ID})
            case "DescribeStatement":
                state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
                return answers.response({"Id": ID, **state})
        number = int(parameters.get("NextToken", "0"))
        more = {"NextToken": str(number + 1)} if number + 1 < len(self._pages) else {}
        return answers.response({"Records": self._pages[number], **more})

    def _clusters(self) -> Any:
        kind = by_type()[CLUSTER]
        row = {"ClusterIdentifier": "dw", "ClusterStatus": self._status, "DBName": "dev"}
        body, headers = shapes.write(shapes.model(kind, kind.list), {"Clusters": [row]})
        return answers.response(body, headers={"Content-Type": "text/xml", **headers})


def _record(schema: str, table: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"booleanValue": False},
        {"longValue": 1},
        {"stringValue": schema},
        {"longValue": 1},
        {"stringValue": more.get("database", "lake")},
        {"stringValue": table},
        {"stringValue": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"},
        {"isNull": True},
        {"booleanValue": True},
        {"isNull": True},
    ]


def _plan() -> Plan:
    kind = by_type()[CLUSTER]
    return {CLUSTER: (kind, tuple(row for row in kind.details if row.service == "redshift-data"))}


def _read(aws: Warehouse, **options: Any) -> Inventory:
    return collect(answers.session(aws), _plan(), ["eu-west-1"], **options)


def _cluster(aws: Warehouse) -> Resource:
    (found,) = _read(aws).of(CLUSTER)
    return found


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_FIRST", 0.001)
    monkeypatch.setattr(waiting, "_LAST", 0.002)
    monkeypatch.setattr(waiting, "LONGEST", 0.02)


@pytest.mark.usefixtures("_quick")
def test_a_statement_is_begun_waited_for_and_fetched_with_all_its_pages() -> None:
    states = [{"Status": status} for status in ("SUBMITTED", "STARTED", "FINISHED")]
    aws = Warehouse(*states, pages=([_record("lake", "orders")], [_record("lake", "returns")]))
    inventory = _read(aws)
    (cluster,) = inventory.of(CLUSTER)
    assert aws.calls == {
        "GetCallerIdentity": 1, "DescribeClusters": 1, "ExecuteStatement": 1, "DescribeStatement": 3,
        "GetStatementResult": 2,
    }  # fmt: skip
    first, second = cluster["ExternalTables"]
    assert first == {
        "Superuser": False,
        "Databases": 1,
        "SchemaName": "lake",
        "Kind": 1,
        "DatabaseName": "lake",
        "TableName": "orders",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "InS3": True,
    }
    assert second["TableName"] == "returns"
    run = next(asked for asked in aws.asked if "Sql" in asked)
    assert run["Sql"] in sql.STATEMENTS
    assert {"ClusterIdentifier": "dw", "Database": "dev"}.items() <= run.items()
    assert not {"DbUser", "SecretArn", "WorkgroupName"} & set(run)
    # Another run's id would be another: an account that did not change reads the same, byte by byte.
    assert ID.encode() not in b"".join(lines(inventory))


@pytest.mark.parametrize("status", ["paused", "pausing", "resuming", "creating", "modifying"])
def test_no_sql_is_sent_to_a_cluster_that_is_not_there_for_it(status: str) -> None:
    aws = Warehouse(status=status)
    assert _cluster(aws)["ExternalTables"] is None
    assert not {"ExecuteStatement", "DescribeStatement", "GetStatementResult"} & set(aws.calls)


def test_a_cluster_that_is_being_resized_answers() -> None:
    assert _cluster(Warehouse(status="available, prep-for-resize"))["ExternalTables"]


_DENIED = answers.error("AccessDeniedException", 403)
_RELATION = {"Status": "FAILED", "Error": "ERROR: relation does not exist"}


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(
    ("aws", "operation", "reason", "message"),
    [
        (Warehouse(_RELATION), WAIT, Reason.FAILED, "FAILED: ERROR: relation does not exist"),
        (Warehouse({"Status": "ABORTED"}), WAIT, Reason.FAILED, "ABORTED: no reason given"),
        (Warehouse({"Status": "STARTED"}), WAIT, Reason.FAILED, "Unfinished: is not done after 0 s"),
        (Warehouse({}), WAIT, Reason.FAILED, "Unfinished: is not done after 0 s"),
        (Warehouse(DescribeStatement=_DENIED), WAIT, Reason.ACCESS_DENIED, ""),
        (Warehouse(ExecuteStatement=_DENIED), RUN, Reason.ACCESS_DENIED, ""),
        (Warehouse(ExecuteStatement=answers.response({})), RUN, Reason.MALFORMED, ""),
        (Warehouse(GetStatementResult=_DENIED), FETCH, Reason.ACCESS_DENIED, ""),
        (Warehouse(GetStatementResult=answers.response({})), FETCH, Reason.MALFORMED, ""),
        (Warehouse(GetStatementResult=answers.error("ResourceNotFoundException")), FETCH, Reason.FAILED, ""),
    ],
)
def test_what_is_not_done_is_a_gap_that_names_the_call(
    aws: Warehouse, operation: str, reason: Reason, message: str
) -> None:
    cluster = _cluster(aws)
    with pytest.raises(Unread) as raised:
        cluster["ExternalTables"]
    gap = raised.value.gap
    assert (gap.operation, gap.action, gap.reason) == (operation, operation, reason)
    assert message in gap.message
    # What comes after it is not asked.
    assert aws.calls["GetStatementResult"] == (1 if operation == FETCH else 0)


def test_a_login_that_is_refused_names_its_own_action() -> None:
    words = "User: x is not authorized to perform: redshift:GetClusterCredentialsWithIAM"
    cluster = _cluster(Warehouse(ExecuteStatement=answers.error("AccessDeniedException", 403, words)))
    with pytest.raises(Unread) as raised:
        cluster["ExternalTables"]
    assert raised.value.gap.sentence == (
        "redshift-data:ExecuteStatement in eu-west-1 was denied; "
        "it needs redshift:GetClusterCredentialsWithIAM"
    )


def test_what_an_error_quotes_is_scrubbed() -> None:
    error = "ERROR: no connection to postgres://etl:hunter2-secret@db.internal/sales?password=hunter2-secret"
    cluster = _cluster(Warehouse({"Status": "FAILED", "Error": error}))
    assert "hunter2" not in cluster.gaps[0].message


def test_what_a_name_quotes_is_scrubbed() -> None:
    named = _record("postgres://etl:hunter2-secret@db.internal/sales?password=hunter2-secret", "orders")
    inventory = _read(Warehouse(pages=([named],)))
    assert b"hunter2" not in b"".join(lines(inventory))


def test_the_waits_grow_and_end_at_the_limit() -> None:
    paused: list[float] = []
    with pytest.raises(Unfinished, match="is not done after 1"):
        waiting.until(bool, lambda: False, paused.append)
    assert paused[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert waiting.LONGEST - 8 < sum(paused) <= waiting.LONGEST == 120


def test_a_run_that_is_stopped_waits_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves no verdict behind, and takes the cluster up again when it is resumed."""
    monkeypatch.setattr(waiting, "_FIRST", 60.0)
    aws, journal = Warehouse({"Status": "STARTED"}), tmp_path / "journal"

    def stop(_: object) -> None:
        if aws.calls["DescribeStatement"]:
            raise OutOfTime

    began = time.monotonic()
    with pytest.raises(Interrupted) as stopped:
        _read(aws, journal=journal, on_wait=stop)
    assert time.monotonic() - began < 30
    assert not list(stopped.value.inventory.known(CLUSTER))
    assert [gap.reason for gap in stopped.value.inventory.list_gaps(CLUSTER)] == [Reason.INTERRUPTED]

    (cluster,) = _read(Warehouse(), journal=journal, resume=True).of(CLUSTER)
    assert cluster["ExternalTables"][0]["TableName"] == "orders"


# -- only where it is asked for --------------------------------------------------------------------


def _whole() -> Plan:
    return plan.plan(load().rules)


RULE = ("--rule", "redshift-spectrum-external-schema")
_GRANTED = {"redshift-data:ExecuteStatement", "redshift:GetClusterCredentialsWithIAM"}


def _policy(run: Call, *arguments: str, **environment: str) -> set[str]:
    done = run("iam-policy", *RULE, *arguments, **environment)
    return {name for statement in json.loads(done.out)["Statement"] for name in statement["Action"]}


def test_the_flag_the_environment_and_the_configuration_ask_for_it(call: Call) -> None:  # noqa: F811
    assert not _GRANTED & _policy(call)
    assert not _GRANTED & _policy(call, "--cost")
    assert _policy(call, "--redshift-sql") >= _GRANTED
    assert _policy(call, "--redshift-sql", "--no-paid-calls") >= _GRANTED
    assert _policy(call, WA_AUDIT_REDSHIFT_SQL="1") >= _GRANTED
    Path("wa-audit.toml").write_text("[options]\nredshift-sql = true\n")
    assert _policy(call) >= _GRANTED
    assert not _GRANTED & _policy(call, "--no-config")


@pytest.mark.parametrize("asked", [False, True])
def test_the_function_in_lambda_plans_it_where_it_is_asked_for(asked: bool) -> None:
    reads = invocation.Reads(bucket="b", redshift_sql=asked)
    _, made = invocation.prepared(reads)
    assert (plan.permitted(made) >= SQL) is asked


def test_the_doctor_tries_the_statement_and_names_what_it_lacks() -> None:
    def examined(aws: Warehouse) -> list[tuple[str, str]]:
        checks = doctor.examine(_plan(), connect=lambda: answers.session(aws), regions=["eu-west-1"])
        return [(check.level, check.message) for check in checks if check.name.startswith("permission")]

    words = "is not authorized to perform: redshift:GetClusterCredentialsWithIAM"
    assert examined(Warehouse()) == [
        ("ok", "redshift, tried in eu-west-1: 2 granted: DescribeClusters, GetClusterCredentialsWithIAM"),
        (
            "ok",
            "redshift-data, tried in eu-west-1: "
            "3 granted: DescribeStatement, ExecuteStatement, GetStatementResult",
        ),
    ]
    refused = examined(Warehouse(ExecuteStatement=answers.error("AccessDeniedException", 403, words)))
    assert refused[0][0] == "failure"
    assert refused[0][1].startswith("redshift:GetClusterCredentialsWithIAM is missing: ")
    assert ("ok", "redshift, tried in eu-west-1: 1 granted: DescribeClusters") in refused


def test_unasked_nothing_of_it_is_planned_granted_or_let_through() -> None:
    made = plan.affordable(_whole(), cost=True)
    assert not SQL & plan.permitted(made)
    granted = {a for p in policies(plan.permitted(made)) for s in p["Statement"] for a in s["Action"]}
    assert not {a for a in granted if a.startswith("redshift-data:") or "Credentials" in a}
    session = answers.session(Warehouse())
    session.guard.allow(plan.permitted(made))
    client = session.client("redshift-data", "eu-west-1")
    with pytest.raises(UndeclaredOperation):
        client.execute_statement(Sql=sql.EXTERNAL_TABLES, ClusterIdentifier="dw", Database="dev")
    with pytest.raises(UndeclaredOperation):
        client.describe_statement(Id=ID)
    with pytest.raises(UndeclaredOperation):
        client.get_statement_result(Id=ID)


def test_asked_for_it_is_planned_and_granted_whole_and_costs_nothing() -> None:
    made = plan.affordable(_whole(), redshift_sql=True)
    more = plan.permitted(made) - plan.permitted(plan.affordable(_whole()))
    assert more == SQL
    assert plan.permitted(plan.affordable(_whole(), redshift_sql=True, paid_calls=False)) >= SQL
    (policy,) = policies(more)
    assert policy["Statement"][0]["Action"] == sorted({*SQL, "redshift:GetClusterCredentialsWithIAM"})


def test_what_was_not_asked_for_says_how_to() -> None:
    made = plan.affordable(_whole())
    (gap,) = [
        gap for gap in missing.uncollected(made, (by_type()[CLUSTER],)) if "ExternalTables" in gap.fields
    ]
    assert "with --redshift-sql" in gap.sentence


def test_a_dry_run_says_that_it_is_left_out_or_what_it_does() -> None:
    off = forecast.text(plan.affordable(_whole()), _whole(), ["eu-west-1"])
    left_out = off.partition("Left out, as they cost money or run SQL, and were not asked for:")[2]
    assert all(operation in left_out for operation in SQL)
    assert "no charge; --redshift-sql asks for it" in left_out
    on = forecast.text(plan.affordable(_whole(), redshift_sql=True), _whole(), ["eu-west-1"])
    assert "redshift:GetClusterCredentialsWithIAM" in on
    assert "1 for each Redshift Cluster, and again until it is done, where it applies" in on
