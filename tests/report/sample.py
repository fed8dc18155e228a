"""Audits of any size for the tests of the reports, made of the project's own structs by its own stages.

Nothing is random: the same arguments give the same audit.
"""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

from wa_audit.inventory import Inventory, Run
from wa_audit.model import Finding, Gap, Pillar, Reason, Resource, Severity, Status, Verdict
from wa_audit.report import audit as report
from wa_audit.rulebook import Rule, Rulebook

ACCOUNT = "123456789012"
REGIONS = ("eu-west-1", "us-east-1")

# What the rules of a sample say; an audit of more rules than these says it again under other names.
_RULES = tuple(
    line.split("\t")
    for line in (Path(__file__).parent / "rules.tsv").read_text(encoding="utf-8").splitlines()[1:]
)

# By type: the ARN's service, the form of its last part, and names.
_TYPES = {
    "AWS::SQS::Queue": ("sqs", "{name}", "orders-inbound orders-billing clickstream-retry payments-events"),
    "AWS::IAM::Role": (
        "iam",
        "role/{name}",
        "glue-clickstream-etl emr-nightly orders-worker athena-analysts",
    ),
    "AWS::S3::Bucket": (
        "s3",
        "{name}",
        "acme-clickstream-raw acme-clickstream-curated acme-orders acme-athena",
    ),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:{name}", "orders-reconcile catalog-refresh"),
    "AWS::Kinesis::Stream": ("kinesis", "stream/{name}", "clickstream iot-telemetry"),
    "AWS::Lambda::Function": ("lambda", "function:{name}", "clickstream-enrich orders-validate orders-ship"),
    "AWS::Glue::Table": ("glue", "table/{name}", "lake/clicks lake/orders lake/customers"),
    "AWS::Glue::Job": ("glue", "job/{name}", "clickstream-etl orders-etl"),
    "AWS::EMR::Cluster": ("elasticmapreduce", "cluster/{name}", "nightly-sessionise"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/{name}", "orders sessions feature-store"),
}

_REFUSED = (
    ("sqs:GetQueueAttributes", "sqs:GetQueueAttributes", Reason.ACCESS_DENIED),
    ("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", Reason.ACCESS_DENIED),
    ("glue:GetTables", "glue:GetTables", Reason.THROTTLED),
    ("kms:GetKeyPolicy", "kms:GetKeyPolicy", Reason.ACCESS_DENIED),
)

_EVIDENCE: tuple[dict[str, Any], ...] = (
    {"SqsManagedSseEnabled": False},
    {"maxReceiveCount": 3, "deadLetterTarget": "arn:aws:sqs:eu-west-1:123456789012:orders-dead"},
    {"LifecycleRules": []},
    {"Action": ["s3:*", "glue:*"], "Resource": "*", "statement": "AllowEverything"},
)

# What must reach the page as text and do nothing there.
HOSTILE = (
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=2</script>",
    '"><img src=x onerror=window.hacked=3>',
    "<svg/onload=window.hacked=4>",
    "javascript:window.hacked=5",
    "{{ 7*7 }}{% for x in y %}",
    "<!--<script>",
    "]]><script>window.hacked=6</script>",
    "' onmouseover='window.hacked=7",
    "invoice\u202efdp.exe",
    "line\u2028and\u2029paragraph",
    "bell\x07esc\x1b[31mred",
    "zero\u200bwidth\ufeff",
    "null\x00byte",
    "tag\U000e0041",
    "&lt;b&gt;&amp;",
    "a" * 300,
    "שלום-עולם",
    "日本語-パイプライン",
    "new\nline\ttab",
)

_MIX = (Status.FAIL, Status.PASS, Status.PASS, Status.PASS, Status.NOT_APPLICABLE, Status.PASS, Status.FAIL)


def audit(
    *,
    rules: int = len(_RULES),
    findings: int = 60,
    hostile: bool = False,
    complete: bool = True,
    denied: bool = True,
    statuses: tuple[Status, ...] = _MIX,
) -> report.Audit:
    """An audit of `rules` rules and `findings` findings, spread evenly over the rules.

    With `denied`, one finding in thirteen could not be judged; with `hostile`, rules, names, tags,
    messages, evidence and refusals are what an attacker would write.
    """
    texts = cycle(HOSTILE if hostile else ("",))
    book = Rulebook(
        rules=tuple(_rule(number, next(texts)) for number in range(rules)),
        pillar_weights=dict.fromkeys(Pillar, 1),
        least_coverage=50,
        digest="5c1d0f7a9b3e48d2a6c7e1f094b8d35a7c2e6f1809d4b3a5c8e7f6d2b1a09483",
    )
    resources: dict[str, Resource] = {}
    rows = []
    for number in range(findings):
        rule = book.rules[number % rules]
        resource = _resource(rule.types[0], number // rules, next(texts))
        resources[resource.arn] = resource
        status = statuses[(number + number // rules) % len(statuses)]
        gap = _gap(number, next(texts)) if denied and number % 13 == 7 else None
        rows.append(_finding(rule, resource, status=status, gap=gap, number=number, text=next(texts)))
    run = Run(
        account=ACCOUNT,
        regions=REGIONS,
        identity=f"arn:aws:sts::{ACCOUNT}:assumed-role/auditor/wa-audit",
        started="2026-10-05T11:59:12Z",
        finished="2026-10-05T12:00:03Z",
        calls=7 * len(resources) + 20,
        throttles=3,
        complete=complete,
    )
    refused = dict.fromkeys(row.gap for row in rows if row.gap)  # each once, however many it cost
    inventory = Inventory(run, resources.values(), refused)
    return report.build(inventory, book, rows)


def _rule(number: int, text: str) -> Rule:
    pillar, theme, severity, type_, id_, title, failure_title, fix, practice = _RULES[number % len(_RULES)]
    again = number // len(_RULES)
    turn = f" ({again})" if again else ""
    return Rule(
        id=id_ + (f"-{again}" if again else ""),
        pillar=Pillar(pillar),
        theme=theme,
        severity=Severity(severity),
        types=(type_,),
        title=f"{title} {text}".strip() + turn,
        failure_title=f"{failure_title} {text}".strip() + turn,
        why="What nobody set is what AWS chose when the resource was made, and few look at it again.",
        fix=f"{fix} {text}".strip(),
        judgement="Passes where the field is set as the fix says.\n\nWhat AWS manages is left out.",
        best_practices=(practice,),
        analytics_lens=("BP 6.4",),
        reads=(),
        params={"most_receives": 10} if "dead-letter" in id_ else {},
        source="wa_audit",
        function=_never_called,
        looks_around=False,
    )


def _never_called(*_: Any) -> Verdict:
    raise AssertionError


def _resource(type_: str, turn: int, text: str) -> Resource:
    service, form, words = _TYPES[type_]
    names = words.split()
    again = turn // len(names)
    name = text + str(turn) if text else names[turn % len(names)] + (f"-{again}" if again else "")
    placeless = service in ("iam", "s3")
    region = "" if service == "iam" else REGIONS[turn % 3 // 2]
    where = ":" if placeless else f"{region}:{ACCOUNT}"
    return Resource(
        type=type_,
        arn=f"arn:aws:{service}:{where}:{form.format(name=name)}",
        name=name,
        account=ACCOUNT,
        region=region,
        data={"Tags": {"team": text or ("data-platform", "orders")[turn % 2]}},
    )


def _gap(number: int, text: str) -> Gap:
    operation, action, reason = _REFUSED[number % len(_REFUSED)]
    return Gap(
        type="AWS::SQS::Queue",
        operation=operation + text,
        action=action + text,
        reason=reason,
        region=REGIONS[number % 2],
        arn="arn:aws:sqs:eu-west-1:123456789012:orders-inbound",
        fields=("Policy",),
    )


def _finding(
    rule: Rule, resource: Resource, *, status: Status, gap: Gap | None, number: int, text: str
) -> Finding:
    evidence = {**_EVIDENCE[number % len(_EVIDENCE)], **({text: text} if text else {})}
    message = {
        Status.FAIL: "is not set as it should be",
        Status.PASS: "is set as it should be",
        Status.NOT_APPLICABLE: "is managed by AWS",
        Status.ERROR: "the check broke: KeyError",
    }.get(status, "")
    if gap:
        status, message, evidence = Status.NOT_EVALUATED, f"could not be judged: {gap.sentence}", {}
    return Finding(
        rule=rule.id,
        arn=resource.arn,
        type=resource.type,
        name=resource.name,
        account=resource.account,
        region=resource.region,
        status=status,
        severity=rule.severity,
        message=f"{message} {text}".strip(),
        evidence=evidence,
        gap=gap,
    )
