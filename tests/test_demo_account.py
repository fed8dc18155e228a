"""What was put into the demo account can be read back: a verdict on a property that the emulator lost
would be a verdict on the emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import jmespath
import moto
import pytest
import yaml

from wa_audit import assess, demo, demo_account, rulebook
from wa_audit import inventory as inventories
from wa_audit.collect import collect, plan
from wa_audit.collect.kinds import by_type
from wa_audit.model import ConfigurationError, Pillar, Reason, Status

if TYPE_CHECKING:
    from wa_audit.inventory import Inventory
    from wa_audit.model import Resource

BOOK = rulebook.load()
# Every fact that a rule looks at, and the tags.
EVERYTHING = plan.plan(BOOK.rules, plan.tag_reads(BOOK.rules))


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    with demo.account() as (session, regions):
        return collect(session, EVERYTHING, regions)


def named(inventory: Inventory, type_: str, name: str) -> Resource:
    """The one resource of a name; an event source mapping goes by the name of its source, and what every
    region has one of by its region too."""
    found = [r for r in inventory.known(type_) if name in _names(r)]
    assert len(found) == 1, f"{type_} {name}: {found}"
    return found[0]


def _names(resource: Resource) -> set[str]:
    source = resource.data.get("EventSourceArn", "").replace("/", ":").split(":")
    own = {resource.data.get(field, "") for field in ("Name", "GroupName")}
    return {resource.name, f"{resource.region} {resource.name}", *own, *source[-1:]}


def test_only_what_moto_lacks_is_refused() -> None:
    with moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        refusals = demo_account.seed(boto3.session.Session(region_name="eu-west-1"))
    assert {(r.operation, r.code) for r in refusals} == {
        ("emr:PutManagedScalingPolicy", "NotImplemented"),
        ("emr:PutAutoTerminationPolicy", "NotImplemented"),
        ("redshift:ModifyClusterParameterGroup", "NotImplemented"),
    }


def test_everything_can_be_read(inventory: Inventory) -> None:
    assert [gap for gap in inventory.gaps if gap.reason is not Reason.NOT_COLLECTED] == []
    gaps = [gap for type_ in EVERYTHING for found in inventory.known(type_) for gap in found.gaps]
    assert [gap for gap in gaps if gap.reason is not Reason.NOT_COLLECTED] == []


def test_every_kind_is_there(inventory: Inventory) -> None:
    judged = {type_ for rule in BOOK.rules for type_ in rule.types}
    assert {type_ for type_ in judged if not inventory.known(type_)} == set()


PROPERTIES = [
    (type_, name, path, expected)
    for type_, resources in yaml.safe_load(Path(__file__).with_name("demo_account.yaml").read_text()).items()
    for name, facts in resources.items()
    for path, expected in facts.items()
]


@pytest.mark.parametrize(
    ("type_", "name", "path", "expected"), PROPERTIES, ids=[f"{p[1]}-{p[2]}"[:60] for p in PROPERTIES]
)
def test_what_was_put_can_be_read_back(
    inventory: Inventory, type_: str, name: str, path: str, expected: Any
) -> None:
    data = named(inventory, type_, name).data
    found = jmespath.search(path, data)
    assert found == expected, data


def test_keys_are_as_they_were_made(inventory: Inventory) -> None:
    keys = {r.name: r.data for r in inventory.known("AWS::KMS::Key")}
    assert keys["alias/acme-data"]["Rotation"]["KeyRotationEnabled"] is True
    assert keys["alias/acme-orders"]["Rotation"]["KeyRotationEnabled"] is False
    assert keys["alias/acme-legacy"]["KeyState"] == "Disabled"
    assert keys["alias/acme-partner-share"]["Policy"]["Statement"][1]["Sid"] == "PartnerDecrypt"


def test_the_environment_is_given_back_and_nothing_was_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    before = dict(os.environ)
    with demo.account() as (session, _):
        assert "AWS_PROFILE" not in os.environ
        assert session.client("sts", "eu-west-1").get_caller_identity()["Account"] == "123456789012"
    assert dict(os.environ) == before
    assert caplog.messages == []


def test_without_moto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto", None)
    with (
        pytest.raises(
            ConfigurationError, match=r"^the demo needs the extra: pip install 'wa-audit\[demo\]'$"
        ),
        demo.account(),
    ):
        pass


def test_importing_it_imports_neither_moto_nor_boto3() -> None:
    code = "import sys, wa_audit.demo; sys.exit(bool({'moto', 'boto3', 'botocore'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Of these an account has only one, which is either well or not.
ONE_OF_A_KIND = {
    "backup-plan-coverage",
    "budget-configured",
    "cloudtrail-multi-region-active",
    "cloudwatch-pipeline-dashboard",
    "config-recorder-active",
    "cost-allocation-tags-active",
    "cost-anomaly-monitor",
    "data-transfer-cost-share",
    "iac-coverage",
    "lambda-account-concurrency-headroom",
    "pipeline-alarm-coverage",
    "quicksight-public-sharing-off",
    "region-carbon-intensity",
    "s3-account-public-access-block",
}


# Every service and practice that must be shown, each with the rules that speak of it.
SHOWN = {
    "CloudFormation": "cloudformation-drift cloudformation-stack-healthy",
    "Terraform (by tag)": "iac-coverage",
    "Step Functions": "sfn-logging sfn-task-catch",
    "CloudWatch": "cloudwatch-alarm-has-action cloudwatch-pipeline-dashboard",
    "X-Ray": "lambda-tracing sfn-tracing",
    "OpenSearch": "opensearch-encrypted-at-rest opensearch-multi-az",
    "SQS": "sqs-queue-dlq sqs-queue-encrypted",
    "Lambda": "lambda-runtime-supported lambda-esm-on-failure",
    "Glue workflows": "glue-workflow-last-run",
    "Glue bookmarks": "glue-job-bookmark",
    "KMS": "kms-key-rotation",
    "TLS": "s3-bucket-tls-only opensearch-tls glue-connection-ssl",
    "S3 encryption": "s3-bucket-encryption-kms",
    "IAM": "iam-role-no-admin",
    "Config": "config-recorder-active",
    "CloudTrail": "cloudtrail-data-events",
    "VPC endpoints": "vpc-endpoint-s3",
    "PrivateLink": "vpc-endpoint-interface-services",
    "Lake Formation": "lakeformation-location-registered",
    "MSK": "msk-authentication",
    "Kinesis": "kinesis-stream-encrypted",
    "multi-region replication": "s3-bucket-cross-region-replication redshift-snapshot-copy",
    "S3 versioning": "s3-bucket-versioning",
    "Glacier and Deep Archive": "s3-bucket-deep-archive-cold-data s3-bucket-archive-tier",
    "Parquet and ORC": "glue-table-columnar-format firehose-format-conversion",
    "Athena": "athena-workgroup-enforced",
    "Redshift": "redshift-cluster-encrypted",
    "Redshift Spectrum": "redshift-spectrum-external-schema",
    "EMR tuning": "emr-spark-max-resource-allocation",
    "EMR Spot": "emr-spot-for-task-nodes",
    "Lambda concurrency": "lambda-reserved-concurrency",
    "Intelligent-Tiering": "s3-bucket-intelligent-tiering",
    "lifecycle": "s3-bucket-lifecycle-configured",
    "Cost Explorer": "cost-anomaly-monitor cost-allocation-tags-active data-transfer-cost-share",
    "Budgets": "budget-configured",
    "Fargate": "ecs-pipeline-fargate",
    "region choice": "region-carbon-intensity flow-stays-home s3-pipeline-region-colocation",
    "DataSync": "datasync-incremental",
    "IoT": "iot-rule-error-action",
    "QuickSight": "quicksight-datasource-ssl",
    "DynamoDB": "dynamodb-pitr",
}


@pytest.fixture(scope="module")
def verdicts(inventory: Inventory) -> dict[str, set[Status]]:
    """What each rule says in the demo's two accounts."""
    said: dict[str, set[Status]] = defaultdict(set)
    for account in (inventory, inventories.read(demo_account.LEDGER)):
        for finding in assess.assess(account, BOOK):
            said[finding.rule].add(finding.status)
    return said


@pytest.mark.parametrize("shown", SHOWN)
def test_every_service_and_practice_is_seen_to_fail_and_to_pass(
    verdicts: dict[str, set[Status]], shown: str
) -> None:
    rules = SHOWN[shown].split()
    assert set(rules) <= {rule.id for rule in BOOK.rules}
    assert set().union(*(verdicts[rule] for rule in rules)) >= {Status.FAIL, Status.PASS}


def test_the_other_account_is_as_the_collector_would_read_it() -> None:
    """Every fact in it is one that a kind declares."""
    other = inventories.read(demo_account.LEDGER)
    assert {resource.account for resource in other} == {other.run.account}
    for resource in other:
        if resource is other.account:
            continue
        kind = by_type()[resource.type]
        declared = {"Tags", "Metrics", *kind.inherits.split(), *kind.list.fields}
        declared |= {field for call in kind.details for field in call.fields}
        assert set(resource.data) <= declared, resource.type


def test_the_other_account_needs_no_emulator(tmp_path: Path) -> None:
    code = "import sys; sys.modules['moto'] = None; from wa_audit.cli import main; main()"
    arguments = ["demo", "--demo-account", "ledger", "--no-config", "--output", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Account 210987654321" in done.stdout
    assert (tmp_path / "audit.json").is_file()


def test_every_rule_has_something_to_praise_and_something_to_mend(inventory: Inventory) -> None:
    book = BOOK
    seen = defaultdict(set)
    for finding in assess.assess(inventory, book):
        seen[finding.rule].add(finding.status)
    assert not {rule for rule, said in seen.items() if said & {Status.ERROR, Status.NOT_EVALUATED}}
    both = {rule for rule, said in seen.items() if {Status.PASS, Status.FAIL} <= said}
    assert {rule.id for rule in book.rules} - both == ONE_OF_A_KIND
    themes = {(rule.pillar, rule.theme) for rule in book.rules if seen[rule.id] & {Status.PASS, Status.FAIL}}
    assert all(sum(pillar is of for of, _ in themes) >= 3 for pillar in Pillar)
