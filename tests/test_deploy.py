"""The stack of the scheduled run: what it grants, what it sets, and that people can read about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import deploy
from wa_audit import publishing
from wa_audit.aws_lambda import ENVIRONMENT, Settings
from wa_audit.collect.guard import SESSION_OPERATIONS
from wa_audit.collect.permissions import NOT_GRANTED, action
from wa_audit.collect.plan import affordable, flow_reads, permitted, plan
from wa_audit.report import flat, history
from wa_audit.rulebook import load

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / deploy.TARGET
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()


class _Loader(yaml.SafeLoader):
    """CloudFormation's YAML: `!Ref X` as `{"Ref": X}`."""


def _short(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {tag: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short)


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)
    return found


def _statements(stack: dict[str, Any], role: str) -> list[dict[str, Any]]:
    policies = stack["Resources"][role]["Properties"]["Policies"]
    return [statement for each in policies for statement in each["PolicyDocument"]["Statement"]]


def _actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


def test_cloudformation_takes_the_template() -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(TEMPLATE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_template_is_what_is_generated() -> None:
    assert TEMPLATE.read_text() == deploy.template(load())


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


def test_what_it_writes_is_named(stack: dict[str, Any]) -> None:
    statements = _statements(stack, "Role")
    writes = {name for statement in statements for name in _actions(statement)}
    own = {"kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents", "s3:ListBucket"}
    traced = {"xray:PutTelemetryRecords", "xray:PutTraceSegments", "sqs:SendMessage"}
    assert writes == (publishing.WRITES - {"events:PutEvents"}) | publishing.READS | own | traced
    everywhere = [name for s in statements if s["Resource"] == "*" for name in _actions(s)]
    assert everywhere == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]  # which take no resource


def test_every_variable_is_a_setting(stack: dict[str, Any]) -> None:
    variables = stack["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    known = {ENVIRONMENT + name.upper() for name in Settings.__struct_fields__}
    assert set(variables) <= known


def test_the_tables_have_the_columns_that_are_kept(stack: dict[str, Any]) -> None:
    def columns(table: str) -> list[str]:
        descriptor = stack["Resources"][table]["Properties"]["TableInput"]["StorageDescriptor"]
        return [column["Name"] for column in descriptor["Columns"]]

    assert columns("FindingsTable") == [*flat.COLUMNS, "run"]
    assert columns("RunsTable") == list(history.COLUMNS)


def test_everything_that_can_be_set_is_written_about(stack: dict[str, Any]) -> None:
    set_by_itself = {"continuation", "invocation"}
    named = {*stack["Parameters"], *Settings.__struct_fields__} - set_by_itself
    assert [name for name in sorted(named) if f"`{name}`" not in DEPLOY] == []
    assert [name for name, each in stack["Parameters"].items() if not each.get("Description")] == []


def test_everything_that_takes_tags_has_them(stack: dict[str, Any]) -> None:
    for name, resource in stack["Resources"].items():
        tags = resource["Properties"].get("Tags")
        if tags is not None:
            assert {tag["Key"] for tag in tags} >= set(deploy.TAGS), name


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "deploy" / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in lines if line and not line.startswith("#"))
    image = (ROOT / "Dockerfile").read_text()
    assert "USER auditor" in image
    assert image.rindex("USER") > image.rindex("RUN")
