"""An organization made up for tests: a seed gives the same accounts, with what makes a page hard to draw."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random

from msgspec.structs import replace

from tests.report.sample import HOSTILE
from wa_audit import rulebook
from wa_audit.model import Pillar, Reason, Status
from wa_audit.organization import merging
from wa_audit.organization.merging import Counts
from wa_audit.organization.outcomes import Outcome, Refusal, RuleFacts, State
from wa_audit.organization.shards import Shard
from wa_audit.report.gaps import Unread
from wa_audit.report.organization import Organization, PipelineScore, Point

RUN = "20261126T060000Z"
DIGEST = "5c1d0f7a9b3e48d2a6c7e1f094b8d35a7c2e6f1809d4b3a5c8e7f6d2b1a09483"
UNITS = (
    "Root/Data/Production",
    "Root/Data/Development",
    "Root/Retail/Production",
    "Root/Retail/Sandbox",
    "Root/Security",
    "Root/Platform/Shared services",
    "",
)
_NAMES = "clickstream orders billing ledger catalog search fraud stock loyalty pricing shipping".split()
_REFUSAL = Refusal(
    error="access_denied",
    operation="AssumeRole",
    action="sts:AssumeRole",
    message="User: arn:aws:sts::123456789012:assumed-role/audits/run is not authorized to perform: "
    "sts:AssumeRole on resource: arn:aws:iam::{account}:role/wa-audit",
)


def organization(
    accounts: int = 40, *, rules: int = 90, runs: int = 6, hostile: bool = False, lost: bool = True
) -> Organization:
    """What so many accounts come to, the `lost` among them not audited, after so many earlier runs."""
    random = Random(7)
    facts = _rules(rules)
    texts = cycle(HOSTILE if hostile else ("",))
    every, shards = [], []
    for number in range(accounts):
        account = f"{random.randrange(10**11, 10**12)}"
        unit = f"Root/{next(texts)}" if hostile else UNITS[number % len(UNITS)]
        stage = ("prod", "dev", "test")[number // 11 % 3]
        name = next(texts) or (f"{_NAMES[number % len(_NAMES)]}-{stage}" if number % 9 else "")
        shard = Shard(run=RUN, account=account, name=name, unit=unit, regions=("eu-west-1",))
        shards.append(shard)
        if lost and number % 13 == 5:
            if number % 2:
                message = _REFUSAL.message.format(account=account) + next(texts)
                refusal = replace(_REFUSAL, message=message)
                every.append(Counts(_outcome(shard, {}, State.NOT_AUDITED, refusal=refusal), []))
            continue
        rows = list(_findings(random, facts, quality=random.betavariate(3, 3)))
        state = State.PARTIAL if number % 17 == 3 else State.AUDITED
        every.append(Counts(_outcome(shard, facts, state, random, texts), rows))
    return merging.merge(RUN, every, planned=shards if lost else (), earlier=_earlier(runs, accounts))


def _rules(count: int) -> dict[str, RuleFacts]:
    found = rulebook.load().rules
    return {
        rule.id: RuleFacts(pillar=rule.pillar, theme=rule.theme, severity=rule.severity, title=rule.title)
        for rule in (found[number * len(found) // count] for number in range(count))
    }


def _findings(
    random: Random, facts: dict[str, RuleFacts], quality: float
) -> Iterator[tuple[str, str, str, int]]:
    for number, (name, rule) in enumerate(sorted(facts.items())):
        judged = random.randrange(0, 12)
        failing = sum(random.random() > min(0.98, quality + (number % 7) / 14) for _ in range(judged))
        unread = random.randrange(1, 4) if random.random() < 0.06 else 0
        for status, many in (
            (Status.FAIL, failing),
            (Status.NOT_EVALUATED, unread),
            (Status.PASS, judged - failing),
        ):
            if many:
                yield name, str(status), str(rule.severity), many


def _outcome(
    shard: Shard,
    facts: dict[str, RuleFacts],
    state: State,
    random: Random | None = None,
    texts: Iterator[str] | None = None,
    refusal: Refusal | None = None,
) -> Outcome:
    return Outcome(
        run=shard.run,
        account=shard.account,
        name=shard.name,
        unit=shard.unit,
        regions=shard.regions,
        state=state,
        refusal=refusal,
        digest=DIGEST if facts else "",
        least_coverage=50.0,
        pillar_weights=dict.fromkeys(Pillar, 1.0),
        rules=facts,
        pipelines=list(_pipelines(random, texts)) if random and texts else [],
        gaps=list(_gaps(random)) if random else [],
        waste=round(random.random() * 900, 2) if random and random.random() < 0.8 else None,
    )


def _pipelines(random: Random, texts: Iterator[str]) -> Iterator[PipelineScore]:
    for number in range(random.randrange(0, 4)):
        score = round(100 * random.betavariate(4, 2), 1) if random.random() > 0.1 else None
        name = next(texts) or f"{random.choice(_NAMES)}-{('ingest', 'batch', 'stream', 'reports')[number]}"
        yield PipelineScore(
            name=name,
            score=score,
            coverage=round(60 + 40 * random.random(), 1) if score is not None else 31.0,
            high_risk=random.randrange(0, 9),
            medium_risk=random.randrange(0, 14),
            failing=random.randrange(0, 60),
            weakest=f"arn:aws:sqs:eu-west-1:123456789012:{name}-inbound",
        )


def _gaps(random: Random) -> Iterator[Unread]:
    for operation, action in (
        ("GetBucketPolicy", "s3:GetBucketPolicy"),
        ("DescribeKey", "kms:DescribeKey"),
        ("ListFunctions", "lambda:ListFunctions"),
        ("", ""),
    ):
        if random.random() < 0.3:
            yield Unread(
                operation=operation,
                action=action,
                region="eu-west-1",
                reason=Reason.ACCESS_DENIED if action else Reason.OUT_OF_SCOPE,
                sentence="it could not be read",
                findings=random.randrange(1, 30),
            )


def _earlier(runs: int, accounts: int) -> Iterator[Point]:
    for number in range(runs):
        known = number > 0  # the first is of a version that told neither risks nor failures
        yield Point(
            run=f"2026{5 + number:02}26T060000Z",
            score=58.0 + 2.3 * number - (4 if number == 3 else 0),
            coverage=91.0 + number,
            audited=accounts - 8 + number,
            planned=accounts,
            high_risk=33 - number if known else None,
            medium_risk=60 - number if known else None,
            failing=7200 - 270 * number if known else None,
            digest=(DIGEST if number > 1 else "older") if known else "",
        )
