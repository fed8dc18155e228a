"""What was spent by service, and how it goes, as Cost Explorer's answers tell it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from tests.report import sample
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Gap, Reason, Resource
from wa_audit.report import audit as audits
from wa_audit.report import html, markdown, spend, terminal
from wa_audit.report.spend import Spend

KIND = "AWS::CE::ServiceCost"
GLUE, ATHENA = "AWS Glue", "Amazon Athena"


def part(month: str, *costs: tuple[str, str, str], unit: str = "USD", estimated: bool = False) -> Resource:
    """A month, or a part of one, of (service, charge type, amount)."""
    groups = [
        {"Service": service, "RecordType": record, "Cost": {"Amount": amount, "Unit": unit}}
        for service, record, amount in costs
    ]
    return Resource(
        type=KIND,
        arn=f"arn:aws:ce::123456789012:servicecost/{month}-{len(costs)}-{unit}-{costs[:1]}",
        name=f"{month}-01",
        account="123456789012",
        data={"TimePeriod": {"Start": f"{month}-01"}, "Estimated": estimated, "Groups": groups},
    )


def of(*parts: Resource, gaps: tuple[Gap, ...] = ()) -> Spend | None:
    return spend.facts(Inventory(Run(account="123456789012"), parts, gaps), lambda gap: 7)


def spent(*parts: Resource) -> Spend:
    found = of(*parts)
    assert found is not None
    return found


def gap(reason: Reason, message: str = "") -> Gap:
    operation = "ce:GetCostAndUsage"
    return Gap(type=KIND, operation=operation, action=operation, reason=reason, message=message)


def test_the_last_month_stands_beside_the_one_before_and_the_mean_of_all_before() -> None:
    found = spent(
        part("2026-08", (GLUE, "Usage", "100"), (ATHENA, "Usage", "10.004")),
        part("2026-10", (GLUE, "Usage", "180"), (ATHENA, "Usage", "200"), estimated=True),
        part("2026-09", (GLUE, "Usage", "200")),
    )
    assert found.months == ["2026-08", "2026-09", "2026-10"]
    assert found.estimated == ["2026-10"]
    assert [each.service for each in found.services] == [ATHENA, GLUE]
    athena, glue = found.services
    assert glue.amounts == [100, 200, 180]
    assert (glue.trend.before_percent, glue.trend.mean, glue.trend.mean_percent) == (-10, 150, 20)
    # Nothing was spent on it in the month before: there is no percentage of nothing.
    assert (athena.trend.before, athena.trend.before_percent, athena.trend.mean) == (0, None, 5)
    assert found.total is not None
    assert found.total.amounts == [110, 200, 380]
    assert spend.sentence(found) == (
        "380 USD in October 2026, +90 % against September 2026, +145 % against the mean of the 2 before"
    )
    assert "Still estimated by AWS: October 2026" in spend.footnotes(found)


def test_a_month_in_two_parts_is_one() -> None:
    found = spent(part("2026-10", (GLUE, "Usage", "1")), part("2026-10", (ATHENA, "Usage", "2.5")))
    assert found.months == ["2026-10"]
    assert found.total is not None
    assert found.total.amounts == [3.5]
    assert found.total.trend.before is None
    assert spend.sentence(found) == "3.50 USD in October 2026"


def test_credits_refunds_and_taxes_stand_apart() -> None:
    found = spent(
        part("2026-09", (GLUE, "Usage", "100"), (GLUE, "Credit", "-100"), ("Tax", "Tax", "19")),
        part("2026-10", (GLUE, "Usage", "110"), (GLUE, "SavingsPlanRecurringFee", "5")),
    )
    assert found.services[0].amounts == [100, 115]
    assert found.apart == {"Credit": [-100, 0], "Tax": [19, 0]}
    assert "Not in it, credit: -100 USD in September 2026" in spend.footnotes(found)


def test_months_before_the_accounts_first_are_compared_with_nothing() -> None:
    """One within, in which nothing was used, is: the account was there."""
    found = spent(
        part("2026-06"),
        part("2026-07", (GLUE, "Usage", "30")),
        part("2026-08"),
        part("2026-09", (GLUE, "Usage", "60")),
    )
    assert found.months == ["2026-07", "2026-08", "2026-09"]
    assert found.services[0].amounts == [30, 0, 60]
    assert found.services[0].trend.mean == 15


def test_what_ended_is_a_hundred_percent_less_and_what_is_no_cent_is_not_told() -> None:
    found = spent(
        part("2026-09", (GLUE, "Usage", "30"), (ATHENA, "Usage", "0.0000004")),
        part("2026-10"),
    )
    assert [each.service for each in found.services] == [GLUE]
    assert found.services[0].trend.before_percent == -100


@pytest.mark.parametrize("parts", [(part("2026-10"),), (part("2026-10", (GLUE, "Usage", "0")),)])
def test_nothing_spent_says_so(parts: tuple[Resource, ...]) -> None:
    found = spent(*parts)
    assert found.total is None
    assert found.reason == "Cost Explorer has no cost of these months"


def test_several_currencies_are_not_added_up() -> None:
    found = spent(
        part("2026-09", (GLUE, "Usage", "30"), unit="CNY"), part("2026-10", (GLUE, "Usage", "30"), unit="USD")
    )
    assert found.total is None
    assert found.services == []
    assert found.reason == "the bill is in CNY and USD, and amounts in several currencies are not added up"


def test_a_refused_call_is_not_evaluated_and_names_what_it_needs() -> None:
    found = of(gaps=(gap(Reason.ACCESS_DENIED),))
    assert found is not None
    assert found.total is None
    assert found.gap == 7
    assert found.reason == "ce:GetCostAndUsage was denied; it needs ce:GetCostAndUsage"


def test_where_there_is_no_cost_explorer_that_is_said() -> None:
    found = of(
        gaps=(gap(Reason.OUT_OF_SCOPE, "ce:GetCostAndUsage, which AWS does not offer in aws-us-gov,"),)
    )
    assert found is not None
    assert "does not offer in aws-us-gov" in found.reason


def test_where_nobody_asked_there_is_nothing() -> None:
    assert of(gaps=(gap(Reason.NOT_COLLECTED),)) is None
    assert of() is None  # an inventory of before this was read


@pytest.mark.parametrize(
    "wrong", [("AWS Glue", "Usage", "much"), ("AWS Glue", "Usage", "nan"), ("AWS Glue", "Usage", "inf")]
)
def test_an_amount_that_is_none_is_no_cost(wrong: tuple[str, str, str]) -> None:
    found = spent(part("2026-10", (ATHENA, "Usage", "5"), wrong))
    assert found.total is None
    assert found.reason == "ce:GetCostAndUsage answered with what is no cost"


# -- in the formats --------------------------------------------------------------------------------


def audit(found: Spend | None = None) -> audits.Audit:
    """A sample with a service of a hostile name."""
    made = found or spent(
        part("2026-09", (GLUE, "Usage", "300"), ("<b>\x1b[31m", "Usage", "1000")),
        part("2026-10", (GLUE, "Usage", "450"), ("<b>\x1b[31m", "Usage", "12.5")),
    )
    return msgspec.structs.replace(sample.audit(), spend=made)


def told(made: audits.Audit) -> str:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    terminal.show(made, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def page(made: audits.Audit) -> str:
    return b"".join(html.render(made)).decode()


def test_the_terminal_tells_it_and_nothing_moves_its_cursor() -> None:
    text = told(audit())
    assert "Spent: 462 USD in October 2026, -64 % against September 2026\n" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["450", "USD", "+50", "%", "AWS", "Glue"] in rows
    assert ["12.50", "USD", "-99", "%", "<b>\\x1b[31m"] in rows
    assert "\x1b" not in text


def test_the_page_tells_it() -> None:
    made = page(audit())
    section = made[made.index('id="spend"') :].partition("</section>")[0]
    assert "<b>462 USD</b>, -64 % against September 2026" in section
    assert "<td><b>450 USD</b></td><td>+50 %</td>" in section
    assert "&lt;b&gt;" in section
    assert "<b>\x1b" not in section


def test_the_summary_tells_it_in_a_line() -> None:
    text = b"".join(markdown.render(audit())).decode()
    assert "\nSpent: 462 USD in October 2026, -64 % against September 2026.\n" in text


def test_what_could_not_be_read_is_told_everywhere() -> None:
    made = audit(of(gaps=(gap(Reason.ACCESS_DENIED),)))
    words = "ce:GetCostAndUsage was denied; it needs ce:GetCostAndUsage"
    assert f"Spent: not evaluated; {words}" in told(made)
    assert f"Not evaluated: {words}." in page(made)
    assert "What was spent is not known" in b"".join(markdown.render(made)).decode()


def test_where_nobody_asked_no_format_speaks_of_it() -> None:
    made = sample.audit()
    assert made.spend is None
    assert "Spent" not in told(made)
    assert "What is spent" not in page(made)
    assert "Spent" not in b"".join(markdown.render(made)).decode()


def test_an_audit_is_read_back_with_what_was_spent(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_bytes(b"".join(audits.render(audit())))
    assert audits.read(path) == audit()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gap": 999}, "spend names a gap that is not in the file"),
        ({"months": ["2026-10"]}, "spend has not an amount for each of its months"),
        ({"months": ["2026-09", "soon"]}, "spend names a month that is not of the form 2026-10"),
        ({"apart": {"Tax": [1.0]}}, "spend has not an amount for each of its months"),
    ],
)
def test_an_audit_that_contradicts_itself_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    path, made = tmp_path / "audit.json", audit()
    assert made.spend is not None
    broken = msgspec.structs.replace(made, spend=msgspec.structs.replace(made.spend, **changes))
    path.write_bytes(b"".join(audits.render(broken)))
    with pytest.raises(ConfigurationError, match=words):
        audits.read(path)
