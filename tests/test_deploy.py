"""The stack of the scheduled run: what it grants, what it sets, and that people can read about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import moto
import pytest

from tests import deployed
from tests.test_organization_machine import for_moto
from tools import deploy
from wa_audit import demo, publishing, stores, wiring
from wa_audit.aws_lambda import Settings
from wa_audit.aws_organization import Merging, Planning
from wa_audit.collect import collect
from wa_audit.collect.guard import ORGANIZATION_OPERATIONS, SESSION_OPERATIONS
from wa_audit.collect.permissions import NOT_GRANTED, action
from wa_audit.collect.plan import affordable, flow_reads, permitted, plan
from wa_audit.collect.session import AwsSession
from wa_audit.demo_account import analysts, corrections, outcomes, spending
from wa_audit.invocation import ENVIRONMENT, Reads
from wa_audit.model import Status
from wa_audit.report import flat
from wa_audit.report.audit import Audit
from wa_audit.rulebook import load

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "deploy" / "template.yaml"
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return deployed.read(TEMPLATE.read_text())


def _statements(stack: dict[str, Any], role: str) -> list[dict[str, Any]]:
    policies = stack["Resources"][role]["Properties"]["Policies"]
    return [statement for each in policies for statement in each["PolicyDocument"]["Statement"]]


def _actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("name", deploy.TARGETS)
def test_cloudformation_takes_the_template(name: str) -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(ROOT / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_templates_are_what_is_generated() -> None:
    found = deploy.templates(load())
    assert {name: (ROOT / name).read_text() for name in deploy.TARGETS} == found


def test_the_function_may_read_what_an_audit_reads_and_nothing_else(stack: dict[str, Any]) -> None:
    managed = [r for r in stack["Resources"].values() if r["Type"] == "AWS::IAM::ManagedPolicy"]
    granted = {
        name
        for policy in managed
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for name in statement["Action"]
    }
    read = permitted(affordable(plan(load().rules, sorted(flow_reads()))))
    needed = {action(operation) for operation in read | SESSION_OPERATIONS if operation not in NOT_GRANTED}
    assert granted == needed - {"sts:AssumeRole"}


def test_cost_explorer_is_granted_where_it_is_asked_and_nowhere_else(stack: dict[str, Any]) -> None:
    policy = stack["Resources"]["CostPolicy"]
    assert policy["Condition"] == "AsksCostExplorer"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == [
        "ce:GetAnomalyMonitors",
        "ce:GetAnomalySubscriptions",
        "ce:GetCostAndUsage",
        "ce:ListCostAllocationTags",
    ]
    variables = stack["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["WA_AUDIT_COST"] == {"Ref": "AskCostExplorer"}
    assert stack["Parameters"]["AskCostExplorer"]["Default"] == "false"


def test_redshift_is_asked_in_sql_where_that_is_wanted_and_nowhere_else(stack: dict[str, Any]) -> None:
    policy = stack["Resources"]["RedshiftPolicy"]
    assert policy["Condition"] == "AsksRedshift"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == [
        "redshift-data:DescribeStatement",
        "redshift-data:ExecuteStatement",
        "redshift-data:GetStatementResult",
        "redshift:GetClusterCredentialsWithIAM",
    ]
    assert stack["Conditions"]["AsksRedshift"] == {"Equals": [{"Ref": "AskRedshift"}, "true"]}
    variables = stack["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["WA_AUDIT_REDSHIFT_SQL"] == {"Ref": "AskRedshift"}
    assert stack["Parameters"]["AskRedshift"]["Default"] == "false"


def test_what_it_writes_is_named(stack: dict[str, Any]) -> None:
    statements = _statements(stack, "Role")
    writes = {name for statement in statements for name in _actions(statement)}
    own = {"kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents"}
    traced = {"xray:PutTelemetryRecords", "xray:PutTraceSegments", "sqs:SendMessage"}
    kept = {*stores.ACTIONS.values()}
    assert writes == (publishing.WRITES - {"events:PutEvents"}) | kept | own | traced
    everywhere = [name for s in statements if s["Resource"] == "*" for name in _actions(s)]
    assert everywhere == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]  # which take no resource


def test_it_may_list_its_latest_and_earlier_runs_alone(stack: dict[str, Any]) -> None:
    lists = [s for s in _statements(stack, "Role") if "s3:ListBucket" in _actions(s)]
    prefixes = [prefix["Sub"] for s in lists for prefix in s["Condition"]["StringEquals"]["s3:prefix"]]
    account = "account_id=${AWS::AccountId}/"
    assert prefixes == [f"latest/{account}", f"runs/{account}"]


def test_every_variable_is_a_setting(stack: dict[str, Any]) -> None:
    variables = stack["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    known = {ENVIRONMENT + name.upper() for name in Settings.__struct_fields__}
    assert set(variables) - {"MALLOC_ARENA_MAX"} <= known


def test_the_table_has_the_columns_that_are_kept(stack: dict[str, Any]) -> None:
    def columns(table: str) -> list[str]:
        descriptor = stack["Resources"][table]["Properties"]["TableInput"]["StorageDescriptor"]
        return [column["Name"] for column in descriptor["Columns"]]

    assert columns("FindingsTable") == [*flat.COLUMNS, "run"]


def test_everything_that_can_be_set_is_written_about(stack: dict[str, Any]) -> None:
    set_by_itself = {"continuation", "invocation"}
    named = {*stack["Parameters"], *Settings.__struct_fields__} - set_by_itself
    assert [name for name in sorted(named) if f"`{name}`" not in DEPLOY] == []
    assert [name for name, each in stack["Parameters"].items() if not each.get("Description")] == []


@pytest.mark.parametrize("name", ["organization", "member-role"])
def test_everything_of_an_organization_is_written_about(name: str) -> None:
    found = deployed.read((ROOT / "deploy" / f"{name}.yaml").read_text())
    words = (ROOT / "docs" / "organization.md").read_text()
    assert [each for each in found["Parameters"] if f"`{each}`" not in words] == []
    assert [each for each, told in found["Parameters"].items() if not told.get("Description")] == []


def test_every_setting_of_an_organizations_functions_is_written_about_and_none_is_unknown() -> None:
    found = deployed.read((ROOT / "deploy" / "organization.yaml").read_text())["Resources"]
    words = (ROOT / "docs" / "organization.md").read_text()
    by_itself = {"started", "run", "shards"}
    for function, settings in (("Plan", Planning), ("Scan", Reads), ("Merge", Merging)):
        fields = set(settings.__struct_fields__)
        assert [name for name in sorted(fields - by_itself) if f"`{name}`" not in words] == []
        variables = set(found[function]["Properties"]["Environment"]["Variables"]) - {"MALLOC_ARENA_MAX"}
        assert variables <= {ENVIRONMENT + name.upper() for name in fields}


def test_only_the_one_role_of_the_one_organization_takes_on_the_members_role() -> None:
    found = deployed.read((ROOT / "deploy" / "member-role.yaml").read_text())["Resources"]
    (statement,) = found["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    asked = {key for by_operator in statement["Condition"].values() for key in by_operator}
    assert asked == {"aws:PrincipalArn", "sts:ExternalId", "aws:PrincipalOrgID"}
    assert {each["Type"] for each in found.values()} == {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}
    # And may read what the role of the scheduled run may.
    template = deployed.read(TEMPLATE.read_text())["Resources"]
    read = [name for name in template if name.startswith("ReadPolicy")]
    assert [found[name] for name in read] == [template[name] for name in read]
    assert set(found) == {"Role", *read}


def test_what_an_organizations_functions_write_is_named() -> None:
    found = deployed.read((ROOT / "deploy" / "organization.yaml").read_text())
    plain = {"kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents"}
    plain |= {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    lists = {action(operation) for operation in ORGANIZATION_OPERATIONS} | {"ec2:DescribeRegions"}
    kept = {*stores.ACTIONS.values()}
    for role, own in {
        "PlanRole": lists | {"s3:PutObject"},
        "ScanRole": kept | {"sts:AssumeRole"},
        "MergeRole": kept | {"sns:Publish"},
    }.items():
        granted = {name for statement in _statements(found, role) for name in _actions(statement)}
        assert granted == own | plain, role


def test_everything_that_takes_tags_has_them(stack: dict[str, Any]) -> None:
    for name, resource in stack["Resources"].items():
        tags = resource["Properties"].get("Tags")
        if tags is not None:
            assert {tag["Key"] for tag in tags} >= set(deploy.TAGS), name


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    for file in ("requirements.txt", "requirements-merge.txt"):
        lines = (ROOT / "deploy" / file).read_text().splitlines()
        assert all("==" in line for line in lines if line and not line.startswith("#"))
    image = (ROOT / "Dockerfile").read_text()
    assert "USER auditor" in image
    assert image.rindex("USER") > image.rindex("RUN")


# -- the stack, audited by the program that it runs ---------------------------------------------------


def _audited(template: str, name: str, parameters: dict[str, Any]) -> Audit:
    """The audit of an account that has the stack, and a trail of data events as every account should."""
    with patch.dict(os.environ, demo._environment(), clear=True), moto.mock_aws():
        session = boto3.session.Session(region_name=deployed.REGION)
        # What moto has no call for. What they tell of the demo's own things bears no tag of the stack.
        answering = (corrections.Corrections(), outcomes.Outcomes(), analysts.Analysts(), spending.Bills())
        for listener in answering:
            listener.install(session.events)
        found = deployed.read((ROOT / template).read_text())
        deployed.Stack(session, found, name, parameters, changed=for_moto).deploy()
        trail = session.client("cloudtrail")
        session.client("s3").create_bucket(
            Bucket="trail", CreateBucketConfiguration={"LocationConstraint": deployed.REGION}
        )
        trail.create_trail(Name="all", S3BucketName="trail", IsMultiRegionTrail=True)
        trail.start_logging(Name="all")
        everything = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
        selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": everything}
        trail.put_event_selectors(TrailName="all", EventSelectors=[selector])
        book = load()
        made = wiring.make_plan(book, tags=True)
        inventory = collect(AwsSession(session), made, [deployed.REGION])
    everything_of_it = wiring.Judging.of_everything()._replace(tags={"owner": "data-platform"})
    return wiring.assess(inventory, book, everything_of_it)


_ACCOUNT = {"AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Athena::WorkGroup"}
_ORGANIZATION = {"AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::StepFunctions::StateMachine"}


@pytest.mark.parametrize(
    ("template", "more", "types"),
    [
        ("deploy/template.yaml", {}, _ACCOUNT),
        ("deploy/organization.yaml", {"ExternalId": "example"}, _ORGANIZATION),
    ],
)
def test_the_stack_scores_a_hundred_with_full_coverage(
    template: str, more: dict[str, Any], types: set[str]
) -> None:
    parameters = {"CodeBucket": "code", "NotificationEmail": "somebody@example.com", **more}
    audit = _audited(template, "wa-audit", parameters)
    short = [
        (finding.rule, finding.resource, finding.message)
        for finding in audit.findings
        if finding.status not in (Status.PASS, Status.NOT_APPLICABLE)
    ]
    assert short == []
    assert (audit.overall.score, audit.overall.coverage) == (100.0, 100.0)
    assert {audit.resources[f.resource].type for f in audit.findings if f.status is Status.PASS} >= types
