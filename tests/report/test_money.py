"""What failures waste: summed, and told in every format."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest
from rich.console import Console

from tests.report import sample
from wa_audit.aws import prices
from wa_audit.inventory import ACCOUNT_TYPE
from wa_audit.model import Confidence, Estimate, Finding, Saving, Severity, Status
from wa_audit.report import audit as audits
from wa_audit.report import csv as csv_format
from wa_audit.report import embedded, firsts, html, markdown, money, terminal
from wa_audit.report.findings import Findings
from wa_audit.report.money import Money
from wa_audit.rulebook import Rulebook, load

BOOK: Rulebook = load()
IDLE, TIERED, LIFE, GRAVITON = (
    "redshift-cluster-idle",
    "s3-bucket-intelligent-tiering",
    "s3-bucket-lifecycle-configured",
    "kinesis-stream-idle",
)


def finding(rule: str, name: str, usd: float | None, **facts: Any) -> Finding:
    known = usd is not None
    return Finding(
        rule=rule,
        arn=f"arn:aws:s3:::{name}",
        type=facts.pop("type", "AWS::S3::Bucket"),
        name=name,
        account="123456789012",
        region="eu-west-1",
        status=facts.pop("status", Status.FAIL),
        severity=Severity.LOW,
        message="wastes",
        waste=Estimate(
            usd=usd,
            confidence=Confidence.MEASURED if known else Confidence.UNKNOWN,
            assumptions=("it goes on so",) if known else (),
            reason="" if known else "nobody knows",
        ),
        **facts,
    )


def totals(*findings: Finding) -> Money:
    wastes, held = money.Wastes(), Findings()
    for each in findings:
        held.add(
            each.id,
            each.rule,
            each.arn,
            each.status,
            each.severity,
            each.message,
            each.evidence,
            waste=wastes.of(each.waste) if each.waste else None,
        )
    of_account = {each.arn for each in findings if each.type == ACCOUNT_TYPE}
    found = money.totals(held, of_account, BOOK, None, prices.bundled())
    assert found is not None
    return found


def test_a_resource_that_fails_two_rules_counts_once_and_that_is_said() -> None:
    found = totals(
        finding(TIERED, "lake", 10.0),
        finding(LIFE, "lake", 8.0),
        finding(IDLE, "dw", 100.0),
        finding(LIFE, "raw", None),
    )
    assert found.total.usd == 110
    assert found.total.overlap_usd == 8
    assert (found.total.findings, found.total.resources, found.total.unknown) == (3, 2, 1)
    assert found.rules[LIFE].usd == 8
    assert found.rules[TIERED].usd == 10
    assert "counts once" in found.counting
    assert any("8.00 USD more" in line for line in money.footnotes(found))
    assert any("No amount for 1 more failure" in line for line in money.footnotes(found))


def test_sums_by_pillar() -> None:
    found = totals(finding(IDLE, "dw", 100.0), finding(GRAVITON, "clicks", 20.0))
    assert found.pillars["cost-optimization"].usd == 100
    assert found.pillars["sustainability"].usd == 20
    assert [name for name, _ in money.dearest(found.pillars)] == ["cost-optimization", "sustainability"]


def test_what_passes_or_was_accepted_wastes_nothing() -> None:
    found = totals(finding(IDLE, "dw", 100.0), finding(IDLE, "old", 50.0, status=Status.SUPPRESSED))
    assert found.total.usd == 100


def test_what_is_estimated_for_the_account_is_not_added_to_its_parts() -> None:
    found = totals(finding(IDLE, "dw", 100.0), finding("budget-configured", "me", 70.0, type=ACCOUNT_TYPE))
    assert found.total.usd == 100
    assert found.rules["budget-configured"].usd == 70
    assert found.account_usd == 70
    assert any("70.00 USD for the account as a whole" in line for line in money.footnotes(found))


def test_without_any_amount_there_is_no_sum() -> None:
    found = totals(finding(LIFE, "raw", None))
    assert found.total.usd is None
    assert money.dearest(found.rules) == []


def test_without_failures_there_is_nothing_to_tell() -> None:
    assert money.totals([], (), BOOK, None, prices.bundled()) is None


@pytest.mark.parametrize(
    ("amount", "words"), [(None, "–"), (0.0, "0.00 USD"), (99.994, "99.99 USD"), (1234.5, "1,234 USD")]
)
def test_amounts_in_words(amount: float | None, words: str) -> None:
    assert money.usd(amount) == words


# -- in the formats --------------------------------------------------------------------------------


def audit() -> audits.Audit:
    """A sample in which the first failure wastes, and its cure saves."""
    made = sample.audit()
    first = next(i for i, f in enumerate(made.findings) if f.status is Status.FAIL)
    second = next(i for i, f in enumerate(made.findings) if f.status is Status.FAIL and i > first)
    waste = money.WasteFacts(
        usd=1234.5,
        confidence=Confidence.MEASURED,
        assumptions=["it goes on so"],
        uses=[money.PricedUse(price="kinesis/shard", units=1460.0, usd=0.015, date="2026-01-01")],
    )
    unknown = money.WasteFacts(usd=None, confidence=Confidence.UNKNOWN, reason="=nobody \x1b[31mknows")
    rows = list(made.findings)
    rows[first] = msgspec.structs.replace(
        rows[first], waste=waste, carbon=money.SavingFacts(percent=60.0, of="the energy", basis="AWS")
    )
    rows[second] = msgspec.structs.replace(rows[second], waste=unknown)
    sums = money.Sum(usd=1234.5, findings=1, resources=1, unknown=1, overlap_usd=0.0)
    told = Money(
        month_hours=730,
        counting=money.COUNTING,
        prices="bundled",
        oldest_price="2025-01-01",
        newest_price="2026-01-01",
        total=sums,
        pillars={},
        pipelines={"<orders>\x1b[31m": sums},
        rules={rows[first].rule: sums},
    )
    return msgspec.structs.replace(made, findings=rows, money=told)


def test_what_saves_most_is_among_the_first_three() -> None:
    made = audit()
    wasting = next(f for f in made.findings if f.waste is not None and f.waste.usd)
    # What is the first by another measure is not named twice.
    gravest = firsts.of(msgspec.structs.replace(made, money=None, findings=sample.audit().findings))
    assert "Saves most" not in [first.measure for first in gravest]
    others = [f for f in made.findings if f.status is Status.FAIL and f.rule != gravest[0].step.rule]
    rows = [
        msgspec.structs.replace(f, waste=wasting.waste if f.id == others[0].id else None)
        for f in made.findings
    ]
    found = {first.measure: first for first in firsts.of(msgspec.structs.replace(made, findings=rows))}
    assert found["Saves most"].step.rule == others[0].rule
    assert "1,234 USD a month" in found["Saves most"].figures


def test_an_audit_is_read_back_with_its_money(tmp_path: Any) -> None:
    path = tmp_path / "audit.json"
    path.write_bytes(b"".join(audits.render(audit())))
    assert audits.read(path) == audit()


def test_the_flat_table_has_it_in_its_last_columns() -> None:
    rows = list(csv.DictReader(io.StringIO(b"".join(csv_format.render(audit())).decode())))
    (known,) = [row for row in rows if row["waste_usd_a_month"]]
    assert known["waste_usd_a_month"] == "1234.50"
    assert known["waste_confidence"] == "measured"
    assert known["waste_assumptions"] == "it goes on so"
    assert known["carbon_saving_percent"] == "60"
    (unknown,) = [row for row in rows if row["waste_confidence"] == "unknown"]
    assert unknown["waste_assumptions"] == "'=nobody \\x1b[31mknows"


def test_the_terminal_tells_it_and_nothing_moves_its_cursor() -> None:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    terminal.show(audit(), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Wasted a month: about 1,234 USD, 1 resource" in text
    assert "By pipeline: <orders>\\x1b[31m 1,234 USD" in text
    assert "By bundled prices from 2025-01-01 to 2026-01-01" in text
    assert "\x1b" not in text


def test_the_terminal_says_where_nothing_has_an_amount() -> None:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    terminal.show(msgspec.structs.replace(audit(), money=totals(finding(LIFE, "raw", None))), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Wasted a month: no failure here could be given an amount" in text


def test_the_page_tells_it() -> None:
    page = b"".join(html.render(audit())).decode()
    assert "What is wasted" in page
    assert "<b>1,234 USD</b>" in page
    assert "&lt;orders&gt;" in page
    assert "<orders>" not in page
    told = [line for each in embedded.unpack(page.encode())["waste"] for line in each["lines"]]
    assert "1,460 a month of kinesis/shard at 0.015 USD (2026-01-01)" in told
    assert "Its cure saves 60 % of the energy (AWS)" in told


def test_the_summary_tells_it_in_a_line() -> None:
    assert "\nWasted a month: about 1,234 USD.\n" in b"".join(markdown.render(audit())).decode()
    assert "Wasted" not in b"".join(markdown.render(sample.audit())).decode()


def test_the_page_tells_of_carbon_by_pipeline() -> None:
    made = audit()
    saving = next(f for f in made.findings if f.carbon is not None)
    resources = made.resources | {
        saving.resource: msgspec.structs.replace(made.resources[saving.resource], pipelines=["<orders>"])
    }
    page = b"".join(html.render(msgspec.structs.replace(made, resources=resources))).decode()
    row = page[page.index("Carbon, by pipeline") :].partition("</table>")[0]
    assert "<bdi>&lt;orders&gt;</bdi>" in row
    assert "<td><b>60 %</b></td><td>1</td>" in row
    assert "Carbon, by pipeline" not in b"".join(html.render(made)).decode()  # it is in no pipeline


def test_a_page_without_money_says_nothing_of_it() -> None:
    page = b"".join(html.render(sample.audit())).decode()
    assert "What is wasted" not in page


def test_a_saving_is_told_with_what_it_rests_on() -> None:
    told = money.saving_of(
        finding(IDLE, "dw", 1.0, carbon=Saving(percent=60.0, of="energy", basis="AWS says"))
    )
    assert money.lines(None, told) == ("Its cure saves 60 % of energy (AWS says)",)
