"""The model of an organization's run: its paper and its simulation agree, with each other and with what was
measured, and the simulation keeps to the limits that it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks import organization, organization_measured, shard_model
from benchmarks.organization import BATCHES, KINDS, MEMORIES, RECOMMENDED, SCALES, TOLERANCE, Run
from benchmarks.shard_model import Work
from wa_audit import rulebook, wiring
from wa_audit.collect import forecast, plan

MEASURED = organization_measured.read()


def _measured(**changed: dict[str, int]) -> organization_measured.Measured:
    return msgspec.structs.replace(MEASURED, **changed)


@pytest.mark.parametrize("run", dict.fromkeys([*SCALES, *KINDS, *MEMORIES, *BATCHES]), ids=str)
def test_the_paper_agrees_with_the_simulation(run: Run) -> None:
    paper, found = organization.on_paper(run), organization.simulated(run)
    assert paper.seconds == pytest.approx(found.seconds, rel=TOLERANCE)
    assert paper.calls == pytest.approx(found.calls, rel=TOLERANCE)
    assert paper.usd == pytest.approx(found.usd, rel=TOLERANCE)


@pytest.mark.parametrize("check", MEASURED.checks, ids=str)
def test_both_agree_with_what_was_measured(check: organization_measured.Checked) -> None:
    work = Work(check.full, check.empty, throttled=check.throttled, latency=MEASURED.latency, limited=False)
    for read in (shard_model.on_paper(work), shard_model.simulated(work)):
        assert read.calls == pytest.approx(check.calls, rel=0.05 if check.throttled else 0)
        # The machine had other work: it can only have been slower.
        assert check.wall * 0.6 <= read.seconds + MEASURED.start_cpu <= check.wall


def test_an_empty_region_is_asked_what_the_plan_lists() -> None:
    made = plan.affordable(wiring.make_plan(rulebook.load(), tags=False))
    listed = [line for line in forecast.lines(made) if line.known]
    a_region = sum(line.times(1) - line.times(0) for line in listed)
    assert sum(MEASURED.empty_region.values()) == pytest.approx(a_region, rel=0.1)
    known = plan.operations(made)
    assert {name for name in MEASURED.full_region if name.startswith("kinesis:")} <= known


def test_the_same_seed_gives_the_same_run_and_another_one_nearly() -> None:
    run = replace(RECOMMENDED, accounts=1_000, throttled=0.3)
    first, again = (organization.simulated.__wrapped__(run, seed) for seed in (1, 1))
    assert first == again
    other = organization.simulated(run, 2)
    assert other != first
    assert other.seconds == pytest.approx(first.seconds, rel=0.1)


def test_no_more_functions_run_at_once_than_are_allowed() -> None:
    few = organization.simulated(replace(RECOMMENDED, accounts=1_000, concurrency=7))
    assert few.at_once == 7
    assert few.bound == "MaxConcurrency"
    many = organization.simulated(replace(RECOMMENDED, concurrency=5_000, batch=1))
    assert many.at_once == 1_000
    assert many.bound == organization.on_paper(replace(RECOMMENDED, concurrency=5_000)).bound


def test_a_limit_that_is_reached_is_said_to_be_the_bottleneck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were STS to allow two roles a second, 1,000 accounts would take 500 seconds."""
    real = organization.number
    monkeypatch.setattr(
        organization, "number", lambda name: 2.0 if name == "assume_role_rate" else real(name)
    )
    run = replace(RECOMMENDED, accounts=1_000)
    found = organization.simulated.__wrapped__(run)
    assert (found.bound, organization.on_paper(run).bound) == ("STS", "STS")
    assert 500 <= found.seconds == pytest.approx(500, rel=TOLERANCE)


def test_a_bucket_of_tokens_never_gives_more_than_it_has() -> None:
    bucket = organization._Bucket(10.0, 5.0)
    turns = [bucket.turn(100.0) for _ in range(25)]
    assert [turn for turn in turns if turn == 100.0] == [100.0] * 5
    assert turns == sorted(turns)
    assert turns[-1] == pytest.approx(102.0)
    # What was not used is not saved up beyond its size.
    assert [bucket.turn(1_000.0) for _ in range(6)][-1] == pytest.approx(1_000.1)


def test_an_operation_comes_no_faster_than_its_published_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 streams at 20 a second: 20 at once, and 9 seconds for the others."""
    streams = _measured(account={}, full_region={"kinesis:DescribeStreamSummary": 200})
    monkeypatch.setattr(organization_measured, "read", lambda: streams)
    work = Work(1, 0)
    found = shard_model.simulated.__wrapped__(work, 1)
    assert found.calls == 200
    assert found.seconds == pytest.approx(9.0, abs=0.2)
    paper = shard_model.on_paper(work)
    assert (paper.seconds, paper.bound) == (pytest.approx(9.0), "kinesis:DescribeStreamSummary")
    free = shard_model.simulated.__wrapped__(replace(work, limited=False), 1)
    assert free.seconds < 2


def test_every_assumption_says_where_it_is_from_and_is_used() -> None:
    code = Path(organization.__file__).read_text()
    for name, row in organization.assumptions().items():
        assert set(row) == {"value", "unit", "what", "source", "date"}, name
        assert all(str(value) for value in row.values()), name
        assert f'number("{name}")' in code, name
