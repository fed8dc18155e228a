"""findings.asff.json: the findings in AWS's Security Finding Format, as Security Hub takes them in.

What does not apply is left out: it is no outcome. What could not be evaluated has the status WARNING, which
stands for missing information, and says why. Lengths are those of the API's reference; a text that is longer
is cut, by bytes.
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from wa_audit.model import Severity, Status
from wa_audit.report.audit import Audit
from wa_audit.report.findings import FindingRow
from wa_audit.text import visible

_SEVERITIES = {
    Severity.CRITICAL: "CRITICAL",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MEDIUM",
    Severity.LOW: "LOW",
    Severity.INFO: "INFORMATIONAL",
}
_OUTCOMES = {
    Status.PASS: "PASSED",
    Status.FAIL: "FAILED",
    Status.SUPPRESSED: "FAILED",
    Status.NOT_EVALUATED: "WARNING",
    Status.ERROR: "WARNING",
}
# Whatever Security Hub has a type of its own for; all else is `Other` there.
_TYPES = {
    f"AWS::{own.replace('.', '::')}": f"Aws{name}"
    for own, name in (
        ("Athena.WorkGroup", "AthenaWorkGroup"),
        ("Backup.BackupPlan", "BackupBackupPlan"),
        ("Backup.BackupVault", "BackupBackupVault"),
        ("CloudFormation.Stack", "CloudFormationStack"),
        ("CloudTrail.Trail", "CloudTrailTrail"),
        ("CloudWatch.Alarm", "CloudWatchAlarm"),
        ("DMS.Endpoint", "DmsEndpoint"),
        ("DMS.ReplicationInstance", "DmsReplicationInstance"),
        ("DMS.ReplicationTask", "DmsReplicationTask"),
        ("DynamoDB.Table", "DynamoDbTable"),
        ("EC2.Instance", "Ec2Instance"),
        ("EC2.NetworkInterface", "Ec2NetworkInterface"),
        ("EC2.RouteTable", "Ec2RouteTable"),
        ("EC2.SecurityGroup", "Ec2SecurityGroup"),
        ("EC2.Subnet", "Ec2Subnet"),
        ("EC2.VPC", "Ec2Vpc"),
        ("ECS.Cluster", "EcsCluster"),
        ("ECS.Service", "EcsService"),
        ("ECS.TaskDefinition", "EcsTaskDefinition"),
        ("Events.EventBus", "EventsEventbus"),
        ("IAM.Role", "IamRole"),
        ("KMS.Key", "KmsKey"),
        ("Kinesis.Stream", "KinesisStream"),
        ("Lambda.Function", "LambdaFunction"),
        ("MSK.Cluster", "MskCluster"),
        ("OpenSearchService.Domain", "OpenSearchServiceDomain"),
        ("Redshift.Cluster", "RedshiftCluster"),
        ("S3.AccountPublicAccessBlock", "S3AccountPublicAccessBlock"),
        ("S3.Bucket", "S3Bucket"),
        ("SNS.Topic", "SnsTopic"),
        ("SQS.Queue", "SqsQueue"),
        ("SecretsManager.Secret", "SecretsManagerSecret"),
        ("StepFunctions.StateMachine", "StepFunctionStateMachine"),
        ("XRay.EncryptionConfig", "XrayEncryptionConfig"),
    )
}
_encoder = msgspec.json.Encoder(order="sorted")


def render(audit: Audit) -> Iterator[bytes]:
    """A JSON list, in UTF-8, a finding a line."""
    start = b"[\n"
    for finding in findings(audit):
        yield start + _encoder.encode(finding)
        start = b",\n"
    yield b"\n]\n" if start != b"[\n" else b"[]\n"


def findings(audit: Audit) -> Iterator[dict[str, Any]]:
    """Each finding that is an outcome, in the audit's order, as an AwsSecurityFinding."""
    for finding in audit.findings:
        if finding.status in _OUTCOMES:
            yield _finding(audit, finding)


def region(audit: Audit, resource: str) -> str:
    """The region whose Security Hub hears of a resource: its own, or, where it has none or that was not
    audited, the first that was."""
    own = audit.resources[resource].region
    return own if own in audit.run.regions else next(iter(audit.run.regions), "us-east-1")


def _finding(audit: Audit, finding: FindingRow) -> dict[str, Any]:
    rule, resource, run = audit.rules[finding.rule], audit.resources[finding.resource], audit.run
    where = region(audit, finding.resource)
    failed = _OUTCOMES[finding.status] == "FAILED"
    passed = finding.status is Status.PASS
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"wa-audit/{where}/{run.account}/{finding.id}",
        "ProductArn": f"arn:{run.partition}:securityhub:{where}:{run.account}:product/{run.account}/default",
        "ProductName": audit.tool.name,
        "CompanyName": audit.tool.name,
        "GeneratorId": _cut(f"wa-audit/{finding.rule}", 512),
        "AwsAccountId": run.account,
        "CreatedAt": run.finished,
        "UpdatedAt": run.finished,
        "Title": _cut(rule.failure_title if failed and rule.failure_title else rule.title, 256),
        "Description": _cut(f"{resource.name} {finding.message}. {rule.why}", 1024),
        "FindingProviderFields": {
            "Severity": {
                # As Security Hub has it of its own controls: what passes is no risk.
                "Label": "INFORMATIONAL" if passed else _SEVERITIES[finding.severity],
                "Original": str(finding.severity),
            },
            "Types": [
                f"Software and Configuration Checks/AWS Well-Architected Framework/{rule.pillar.label}"
            ],
        },
        "Remediation": {"Recommendation": _recommendation(audit, finding)},
        "Resources": [_resource(audit, finding)],
        "Compliance": _compliance(audit, finding),
        "ProductFields": _fields(audit, finding),
        "RecordState": "ACTIVE",
        **_accepted(audit, finding),
    }


def _recommendation(audit: Audit, finding: FindingRow) -> dict[str, str]:
    rule = audit.rules[finding.rule]
    made = {"Text": _cut(rule.fix or rule.title, 512)}
    links = [audit.practices[id_].url for id_ in rule.best_practices if id_ in audit.practices]
    if links and links[0].startswith("https://"):
        made["Url"] = links[0]
    return made


def _resource(audit: Audit, finding: FindingRow) -> dict[str, Any]:
    resource = audit.resources[finding.resource]
    made = {
        "Type": _TYPES.get(resource.type, "Other"),
        "Id": finding.resource,
        "Partition": audit.run.partition,
        "Region": resource.region or region(audit, finding.resource),
    }
    # A value of a map must show something.
    tags = {visible(key): visible(value) for key, value in resource.tags.items() if value.strip()}
    return made | ({"Tags": tags} if tags else {})


def _compliance(audit: Audit, finding: FindingRow) -> dict[str, Any]:
    rule = audit.rules[finding.rule]
    made: dict[str, Any] = {"Status": _OUTCOMES[finding.status]}
    if practices := [*rule.best_practices, *rule.analytics_lens]:
        made["RelatedRequirements"] = [f"AWS Well-Architected {id_}" for id_ in practices][:32]
    if finding.gap is not None:
        gap = audit.gaps[finding.gap]
        made["StatusReasons"] = [
            {
                "ReasonCode": str(gap.reason).upper(),
                "Description": _cut(gap.sentence or finding.message, 1024),
            }
        ]
    return made


def _fields(audit: Audit, finding: FindingRow) -> dict[str, str]:
    rule, resource = audit.rules[finding.rule], audit.resources[finding.resource]
    fields = {
        "wa-audit/rule": finding.rule,
        "wa-audit/pillar": str(rule.pillar),
        "wa-audit/theme": rule.theme,
        "wa-audit/resource-type": resource.type,
        "wa-audit/pipelines": "; ".join(resource.pipelines),
        "wa-audit/evidence": _encoder.encode(finding.evidence).decode() if finding.evidence else "",
    }
    return {name: _cut(value, 2048) for name, value in fields.items() if value.strip()}


def _accepted(audit: Audit, finding: FindingRow) -> dict[str, Any]:
    """A suppressed failure's workflow, which Security Hub takes when it first hears of the finding."""
    if finding.suppression is None:
        return {}
    entry = audit.suppressions[finding.suppression]
    note = {"Text": entry.reason, "UpdatedBy": entry.owner}
    return {
        "Workflow": {"Status": "SUPPRESSED"},
        "Note": {name: _cut(text or "-", 512) for name, text in note.items()}
        | {"UpdatedAt": audit.run.finished},
    }


def _cut(text: str, most: int) -> str:
    """The text made visible, in at most so many bytes of UTF-8."""
    shown = visible(text)
    raw = shown.encode("utf-8", "backslashreplace")
    if len(raw) <= most:
        return shown
    return raw[: most - 3].decode("utf-8", "ignore") + "…"
