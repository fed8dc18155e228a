"""Audits of any size for the tests of the reports, made of the project's own structs by its own stages.

Nothing is random: the same arguments give the same audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from wa_audit.inventory import Inventory, Run
from wa_audit.model import Finding, Gap, Pillar, Reason, Resource, Severity, Status, Verdict
from wa_audit.report import audit as report
from wa_audit.rulebook import Rule, Rulebook
from wa_audit.score import score

ACCOUNT = "123456789012"
REGIONS = ("eu-west-1", "us-east-1")

# pillar, theme, severity, type, id, title, failure title, fix, best practice
_RULES: tuple[tuple[str, str, str, str, str, str, str, str, str], ...] = (
    ("security", "encryption_at_rest", "medium", "AWS::SQS::Queue", "sqs-queue-encrypted", "Queues encrypt their messages at rest", "A queue stores its messages without server-side encryption", "Turn on SSE-SQS (`SqsManagedSseEnabled=true`), or name a KMS key where its use must be controlled and logged.", "SEC08-BP02"),
    ("security", "iam_scope", "high", "AWS::IAM::Role", "iam-role-no-wildcard-actions", "Roles of pipelines name the actions they need", "A role of a pipeline may do everything a service can do", "Replace `s3:*` by the actions that the job calls, on the buckets that it reads and writes.", "SEC03-BP02"),
    ("security", "public_access", "critical", "AWS::S3::Bucket", "s3-bucket-not-public", "Buckets are not public", "A bucket can be read by anyone on the internet", "Turn on all four flags of Block Public Access, and remove the statement or grant that opens the bucket.", "SEC03-BP07"),
    ("security", "encryption_in_transit", "medium", "AWS::S3::Bucket", "s3-bucket-tls-only", "Buckets refuse requests without TLS", "A bucket answers requests over plain HTTP", "Add a Deny statement for `s3:*` on the bucket and its objects with the condition `aws:SecureTransport` false.", "SEC09-BP02"),
    ("reliability", "dead_letter_queues", "high", "AWS::SQS::Queue", "sqs-dead-letter-queue", "Work queues hand poison messages to a dead-letter queue", "A work queue has no usable dead-letter queue", "Set a `RedrivePolicy` whose `maxReceiveCount` fits the consumer.", "REL05-BP04"),
    ("reliability", "retries", "medium", "AWS::StepFunctions::StateMachine", "sfn-task-retries", "Tasks of state machines retry what may pass", "A state machine gives up at a task's first transient error", "Give every Task a Retry with backoff and jitter for `States.TaskFailed` and the service's throttling errors.", "REL05-BP03"),
    ("reliability", "versioning_and_backup", "high", "AWS::S3::Bucket", "s3-bucket-versioning", "Buckets that hold data keep versions", "A bucket loses an object for good when it is overwritten", "Turn on versioning, with a lifecycle rule that expires noncurrent versions.", "REL09-BP02"),
    ("operational-excellence", "alarms", "high", "AWS::Kinesis::Stream", "kinesis-iterator-age-alarm", "Somebody is told when a stream's consumers fall behind", "Nobody is told when a stream's consumers fall behind", "Alarm on `GetRecords.IteratorAgeMilliseconds`, with an action that reaches a person.", "OPS08-BP04"),
    ("operational-excellence", "logging_and_tracing", "medium", "AWS::StepFunctions::StateMachine", "sfn-logging", "State machines log their executions", "A state machine keeps no log of its executions", "Set `loggingConfiguration.level` to ERROR or ALL.", "OPS08-BP02"),
    ("operational-excellence", "logging_and_tracing", "low", "AWS::Lambda::Function", "lambda-tracing", "Functions in pipelines are traced", "A function in a pipeline is not traced", "Set `TracingConfig.Mode` to Active.", "OPS04-BP05"),
    ("performance-efficiency", "data_formats", "medium", "AWS::Glue::Table", "glue-table-columnar", "Tables that are queried are stored in columns", "A table that is queried is stored row by row", "Write Parquet or ORC: convert in Firehose, or with a Glue job.", "PERF03-BP01"),
    ("performance-efficiency", "compute_tuning", "low", "AWS::Lambda::Function", "lambda-esm-batching", "Functions take messages in batches", "A function is invoked for every single message", "Raise `BatchSize` and `MaximumBatchingWindowInSeconds`.", "PERF02-BP04"),
    ("cost-optimization", "lifecycle", "medium", "AWS::S3::Bucket", "s3-bucket-lifecycle", "Buckets move or expire what ages", "A bucket keeps everything for ever in its dearest storage class", "Add a lifecycle rule, or Intelligent-Tiering where access is unknown.", "COST06-BP03"),
    ("cost-optimization", "spot_usage", "medium", "AWS::EMR::Cluster", "emr-task-nodes-spot", "Task nodes run on spot capacity", "A cluster pays the on-demand price for nodes that may be lost", "Use instance fleets with spot capacity for task nodes.", "COST07-BP02"),
    ("cost-optimization", "idle_resources", "info", "AWS::DynamoDB::Table", "dynamodb-table-used", "Tables are read or written", "A table has not been used for a month", "Export the table to S3 and delete it.", "COST04-BP03"),
    ("sustainability", "efficient_compute", "low", "AWS::Lambda::Function", "lambda-arm64", "Functions run on Graviton", "A function runs on x86 without a reason", "Set `Architectures` to arm64 where every layer allows it.", "SUS05-BP02"),
    ("sustainability", "data_retention", "low", "AWS::DynamoDB::Table", "dynamodb-ttl", "Tables let go of what has expired", "A table keeps what nobody will read again", "Name a `TimeToLive` attribute.", "SUS04-BP03"),
)  # fmt: skip

_TYPES = {
    "AWS::SQS::Queue": ("sqs", "{name}", ("orders-inbound", "orders-billing", "clickstream-retry", "payments-events")),
    "AWS::IAM::Role": ("iam", "role/{name}", ("glue-clickstream-etl", "emr-nightly", "orders-worker", "athena-analysts")),
    "AWS::S3::Bucket": ("s3", "{name}", ("acme-clickstream-raw", "acme-clickstream-curated", "acme-orders-archive", "acme-athena-results")),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:{name}", ("orders-reconcile", "catalog-refresh")),
    "AWS::Kinesis::Stream": ("kinesis", "stream/{name}", ("clickstream", "iot-telemetry")),
    "AWS::Lambda::Function": ("lambda", "function:{name}", ("clickstream-enrich", "orders-validate", "orders-ship", "thumbnail")),
    "AWS::Glue::Table": ("glue", "table/{name}", ("lake/clicks", "lake/orders", "lake/customers")),
    "AWS::EMR::Cluster": ("elasticmapreduce", "cluster/{name}", ("nightly-sessionise",)),
    "AWS::DynamoDB::Table": ("dynamodb", "table/{name}", ("orders", "sessions", "feature-store")),
}  # fmt: skip

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

    With `denied`, one finding in thirteen could not be judged; with `hostile`, names, tags, messages,
    evidence and refusals are what an attacker would write.
    """
    texts = cycle(HOSTILE if hostile else ("",))
    book = Rulebook(
        rules=tuple(_rule(number) for number in range(rules)),
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
        rows.append(_finding(rule, resource, status, gap, number, next(texts)))
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
    inventory = Inventory(run, resources.values(), [row.gap for row in rows if row.gap])
    return report.build(inventory, book, rows, score(rows, book))


def _rule(number: int) -> Rule:
    pillar, theme, severity, type_, id_, title, failure_title, fix, practice = _RULES[number % len(_RULES)]
    again = number // len(_RULES)
    return Rule(
        id=id_ + (f"-{again}" if again else ""),
        pillar=Pillar(pillar),
        theme=theme,
        severity=Severity(severity),
        types=(type_,),
        title=title + (f" ({again})" if again else ""),
        failure_title=failure_title + (f" ({again})" if again else ""),
        why="What nobody set is what AWS chose when the resource was made, and few look at it again.",
        fix=fix,
        judgement="Passes where the field is set as the fix says.\n\nResources that AWS manages are left out.",
        best_practices=(practice,),
        analytics_lens=("BP 6.4",),
        reads=(),
        params={"most_receives": 10} if "dead-letter" in id_ else {},
        source="wa_audit",
        function=_never_called,
    )


def _never_called(*_: Any) -> Verdict:
    raise AssertionError


def _resource(type_: str, turn: int, text: str) -> Resource:
    service, form, names = _TYPES[type_]
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
    operation, reason = list(
        islice(
            cycle(
                (
                    ("sqs:GetQueueAttributes", Reason.ACCESS_DENIED),
                    ("s3:GetBucketLifecycleConfiguration", Reason.ACCESS_DENIED),
                    ("glue:GetTables", Reason.THROTTLED),
                    ("kms:GetKeyPolicy", Reason.ACCESS_DENIED),
                )
            ),
            4,
        )
    )[number % 4]
    action = {"s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration"}.get(operation, operation)
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
    rule: Rule, resource: Resource, status: Status, gap: Gap | None, number: int, text: str
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


def sizes() -> Iterator[tuple[int, int]]:
    """Pairs of rules and findings that stand for a small, a usual and a large account."""
    yield from ((17, 60), (100, 400), (150, 10_000))
