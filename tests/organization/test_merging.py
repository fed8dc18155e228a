"""What accounts come to together, with figures computed by hand."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import duckdb
import msgspec
import pytest
from click.testing import CliRunner

from wa_audit.commands.org.merge import merge
from wa_audit.model import ConfigurationError, Pillar, Reason, Severity
from wa_audit.organization import merging, outcomes
from wa_audit.organization.outcomes import Outcome, Refusal, RuleFacts, State
from wa_audit.organization.shards import Shard, write
from wa_audit.report import organization as told
from wa_audit.report.audit import OverallScore
from wa_audit.report.gaps import Unread
from wa_audit.report.organization import PipelineScore

RUN = "20261126T060000Z"
A, B, C, D = "111111111111", "222222222222", "333333333333", "444444444444"
RULE = RuleFacts(pillar=Pillar.SECURITY, theme="t", severity=Severity.HIGH, title="Encrypted")


def put(place, account, passed, failed, *, unit="Root", run=RUN, said=None, same=False, rule="r", **more):
    counts = {"pass": passed, "fail": failed} if said is None else said
    outcome = Outcome(**{
        "run": run, "account": account, "name": "", "unit": unit, "regions": ("eu-west-1",),
        "state": State.AUDITED, "digest": "d", "least_coverage": 50.0,
        "pillar_weights": dict.fromkeys(Pillar, 1.0), "rules": {"r": RULE},
        "overall": OverallScore(
            score=None, coverage=None, high_risk=0, medium_risk=0, counts=counts
        ),
        "waste": 1.5, **more,
    })  # fmt: skip
    path = place / f"shards/run={run}/account_id={account}/findings.parquet"
    path.parent.mkdir(parents=True)
    said = msgspec.json.encode(outcome).decode().replace("'", "''")
    number = "0" if same else "i"
    duckdb.sql(
        f"COPY (SELECT {number}::VARCHAR finding_id, '{rule}' AS rule, 'high' AS severity, "
        f"CASE WHEN i < {passed} THEN 'pass' ELSE 'fail' END status FROM range({passed + failed}) x(i)) "
        f"TO '{path}' (FORMAT parquet, KV_METADATA {{'{outcomes.KEY}': '{said}'}})"
    )
    return path


def call(place, *more, code=0):
    answer = CliRunner().invoke(merge, [str(place), *more])
    if code is None:
        assert isinstance(answer.exception, ConfigurationError)
        return str(answer.exception)
    assert answer.exit_code == code, (answer.output, answer.exception)
    return msgspec.json.decode((place / f"organizations/{RUN}/organization.json").read_bytes())


def test_the_score_is_pooled_over_all_accounts(tmp_path):
    """3 of 4 and 1 of 6 pass: 4 of 10, which is 40, and not the mean of 75 and 16.7."""
    put(tmp_path, A, 3, 1, unit="Root/Data")
    put(tmp_path, B, 1, 5)
    found = call(tmp_path)
    assert found["overall"]["score"] == 40.0
    assert [(a["account"], a["overall"]["score"]) for a in found["accounts"]] == [(B, 16.7), (A, 75.0)]
    assert [(u["path"], u["audited"], u["overall"]["score"]) for u in found["units"]] == [
        ("Root", 2, 40.0),
        ("Root/Data", 1, 75.0),
    ]
    assert (found["rules"][0]["accounts"], found["rules"][0]["failing"]) == (2, 6)
    assert found["waste"] == 3.0


def test_what_was_not_audited_is_named(tmp_path):
    put(tmp_path, A, 1, 0)
    refusal = Refusal(
        error="access_denied", operation="sts:AssumeRole", action="sts:AssumeRole", message="no"
    )
    put(tmp_path, B, 0, 0, state=State.NOT_AUDITED, refusal=refusal, overall=None)
    put(tmp_path, C, 1, 0).write_bytes(b"torn")
    write(tmp_path / "s.json", [Shard(run=RUN, account=n, regions=("eu-west-1",)) for n in (A, B, C, D)])
    found = call(tmp_path, "--shards", str(tmp_path / "s.json"), code=4)
    assert [(n["account"], n["reason"], n["action"]) for n in found["not_audited"]] == [
        (B, "access_denied", "sts:AssumeRole"),
        (C, "unreadable", ""),
        (D, "never scanned", ""),
    ]
    assert (found["audited"], found["planned"]) == (1, 4)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"said": {"pass": 2}}, "has 1 fail, 1 pass, but its footer says 2 pass"),
        ({"said": {}}, "has 1 fail, 1 pass, but its footer says no findings"),
        ({"same": True}, "has a finding twice"),
    ],
)
def test_an_object_that_contradicts_itself_is_refused(tmp_path, more, words):
    put(tmp_path, A, 1, 1, **more)
    assert words in call(tmp_path, code=None)


def test_an_object_of_another_account_is_none_of_this_one(tmp_path):
    put(tmp_path, A, 1, 0)
    there = put(tmp_path, B, 1, 0)
    there.write_bytes((tmp_path / f"shards/run={RUN}/account_id={A}/findings.parquet").read_bytes())
    found = call(tmp_path, code=4)
    assert found["audited"] == 1
    assert [(n["account"], n["reason"]) for n in found["not_audited"]] == [(B, "unreadable")]
    assert f"is of account {A} in run {RUN}" in found["not_audited"][0]["message"]


def test_what_is_of_no_audit_is_unreadable_and_stops_nobody(tmp_path):
    put(tmp_path, A, 1, 0)
    put(tmp_path, B, 1, 0, rule="invented", unit="Root/Data")
    torn = put(tmp_path, C, 1, 0, unit="Root/Data")
    torn.write_bytes(torn.read_bytes().replace(b'"tool":"wa', b'"tool":"\xff\xfe'))
    found = call(tmp_path, code=4)
    assert [(n["account"], n["reason"]) for n in found["not_audited"]] == [
        (B, "unreadable"),
        (C, "unreadable"),
    ]
    assert (
        "has findings of 'invented', a rule that its footer does not know"
        in found["not_audited"][0]["message"]
    )
    assert found["overall"]["score"] == 100


def test_a_unit_tells_how_many_of_its_accounts_were_audited(tmp_path):
    put(tmp_path, A, 1, 0, unit="Root/Data")
    put(tmp_path, B, 0, 0, unit="Root/Data", state=State.NOT_AUDITED, overall=None)
    put(tmp_path, C, 0, 0, unit="Root/Other", state=State.NOT_AUDITED, overall=None)
    found = call(tmp_path, code=4)
    assert [(u["path"], u["audited"], u["planned"], u["overall"]["score"]) for u in found["units"]] == [
        ("Root", 1, 3, 100),
        ("Root/Data", 1, 2, 100),
        ("Root/Other", 0, 1, None),
    ]


def test_accounts_whose_unit_is_not_known_stand_in_a_row_of_their_own(tmp_path):
    put(tmp_path, A, 1, 0, unit="Root")
    put(tmp_path, B, 1, 3, unit="")
    put(tmp_path, C, 0, 0, unit="", state=State.NOT_AUDITED, overall=None)
    found = call(tmp_path, code=4)
    assert [(u["path"], u["audited"], u["planned"], u["overall"]["score"]) for u in found["units"]] == [
        ("", 1, 2, 25),
        ("Root", 1, 1, 100),
    ]


def test_an_object_that_does_not_say_why_is_told_all_the_same(tmp_path):
    put(tmp_path, A, 0, 0, state=State.NOT_AUDITED, overall=None)
    found = call(tmp_path, code=4)
    assert [(n["account"], n["reason"]) for n in found["not_audited"]] == [(A, "unknown")]
    assert found["overall"]["score"] is None


def test_the_bytes_do_not_depend_on_threads_or_order(tmp_path, monkeypatch):
    contents = set()
    for threads, accounts in ((1, (A, B, C)), (4, (C, A, B))):
        place = tmp_path / str(threads)
        for account in accounts:
            put(place, account, int(account[0]), 2, unit=f"Root/{account[0]}")
        with monkeypatch.context() as patched:
            patched.setattr(merging, "connect", partial(merging.connect, threads=threads))
            call(place)
        written = place / f"organizations/{RUN}"
        contents.add(tuple((written / f"organization.{kind}").read_bytes() for kind in ("json", "html")))
    assert len(contents) == 1


def test_merging_opens_neither_pandas_nor_arrow(tmp_path):
    put(tmp_path, A, 1, 0)
    program = (
        "import sys; from wa_audit.commands.org.merge import merge; "
        f"merge.main([{str(tmp_path)!r}], standalone_mode=False); "
        "print([name for name in ('pandas', 'pyarrow', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    assert "Score 100, of 1 accounts audited out of 1;" in done.stdout


def test_what_pages_are_made_with_is_opened_for_the_page_alone():
    program = (
        "import sys; from wa_audit.commands.org.merge import merge; "
        "from wa_audit import stores; from wa_audit.organization import merging; "
        "merging.merge('20261126T060000Z', []); print('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_page_stands_beside_the_data(tmp_path):
    put(tmp_path, A, 1, 1, name="<script>alert(1)</script>\u202e")
    answer = CliRunner().invoke(merge, [str(tmp_path)])
    assert answer.output == (
        "Score 50, of 1 accounts audited out of 1; "
        f"{tmp_path}/organizations/{RUN}/organization.json and organization.html\n"
    )
    page = (tmp_path / f"organizations/{RUN}/organization.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in page
    assert "<script>alert" not in page
    assert page.endswith("</html>")


def test_without_duckdb_the_extra_is_named(tmp_path, monkeypatch):
    put(tmp_path, A, 1, 0)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert call(tmp_path, code=None) == "org merge needs DuckDB: pip install 'wa-audit[lake]'"


def test_shards_of_another_run_are_refused(tmp_path):
    put(tmp_path, A, 1, 0)
    write(tmp_path / "s.json", [Shard(run="20200101T000000Z", account=A, regions=("eu-west-1",))])
    words = call(tmp_path, "--shards", str(tmp_path / "s.json"), code=None)
    assert words == f"{tmp_path / 's.json'}: is of run 20200101T000000Z, not of {RUN}"


def test_two_rulebooks_are_not_pooled(tmp_path):
    put(tmp_path, A, 1, 0)
    put(tmp_path, B, 1, 0, digest="other")
    assert call(tmp_path, code=None) == f"accounts {A} and {B} were judged by different rulebooks"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"least_coverage": 80.0}, "with different scoring, least_coverage 50 and 80"),
        (
            {"pillar_weights": dict.fromkeys(Pillar, 1.0) | {Pillar.SECURITY: 3.0}},
            "with different scoring, by their pillar_weights",
        ),
        ({"rules": {"r": RULE, "s": RULE}}, "by different rules of one rulebook, s for one"),
        (
            {"rules": {"r": msgspec.structs.replace(RULE, severity=Severity.LOW)}},
            "by different rules of one rulebook, r for one",
        ),
    ],
)
def test_accounts_that_were_not_judged_alike_are_not_pooled_under_one_digest(tmp_path, more, words):
    put(tmp_path, A, 1, 0)
    put(tmp_path, B, 1, 0, **more)
    assert call(tmp_path, code=None) == f"accounts {A} and {B} were judged {words}"


def test_an_account_that_was_not_audited_was_judged_by_nothing(tmp_path):
    put(tmp_path, A, 1, 0)
    put(tmp_path, B, 0, 0, state=State.NOT_AUDITED, overall=None, digest="", rules={}, pillar_weights={})
    assert call(tmp_path, code=4)["overall"]["score"] == 100


def test_files_beside_an_accounts_object_are_told_and_never_counted(tmp_path):
    """The same findings again, by another name, folder or spelling: each is counted once."""
    there = put(tmp_path, A, 3, 1)
    beside = [
        there.with_name("part-2.parquet"),
        tmp_path / f"shards/run={RUN}/unit=Root/account_id={A}/findings.parquet",
        tmp_path / f"shards/run={RUN}/account_id={A}/copy/findings.parquet",
        tmp_path / f"shards/run={RUN}/account_id=42/findings.parquet",
        tmp_path / f"shards/run={RUN}/manifest.json",
    ]
    for path in (*beside, tmp_path / "shards/run=20261125T060000Z/part-2.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(there.read_bytes())
    answer = CliRunner().invoke(merge, [str(tmp_path)])
    assert answer.exit_code == 4
    for path in beside:
        assert f"{path}: is no account's object, and was not counted" in answer.output
    found = msgspec.json.decode((tmp_path / f"organizations/{RUN}/organization.json").read_bytes())
    assert found["passed_over"] == sorted(path.relative_to(tmp_path).as_posix() for path in beside)
    assert (found["overall"]["counts"]["pass"], found["overall"]["counts"]["fail"]) == (3, 1)
    assert (found["audited"], found["planned"]) == (1, 1)


def pipelines(*scores):
    return [
        PipelineScore(
            name=f"flow-{number}", score=score, coverage=100.0, high_risk=number % 2, medium_risk=0,
            failing=0, weakest="security",
        )
        for number, score in enumerate(scores)
    ]  # fmt: skip


def test_the_worst_thousand_pipelines_are_told_of_all(tmp_path):
    put(tmp_path, A, 1, 0, pipelines=pipelines(*((1000 - number) / 10 for number in range(700))))
    put(tmp_path, B, 1, 0, pipelines=pipelines(None, 5.0, 5.0, *[99.95] * 600))
    found = call(tmp_path)
    assert (merging.MOST_PIPELINES, found["pipelines_total"], len(found["pipelines"])) == (1000, 1303, 1000)
    told = [(p["account"], p["name"], p["score"]) for p in found["pipelines"]]
    # Of equal scores those with high risks come first; what has no score is no worse than any that has one.
    assert told[:3] == [(B, "flow-1", 5.0), (B, "flow-2", 5.0), (A, "flow-699", 30.1)]
    assert told[700] == (A, "flow-1", 99.9)
    assert {account for account, _, _ in told[701:]} == {B}
    assert None not in {score for _, _, score in told}


def test_what_could_not_be_read_is_summed_over_regions_and_accounts(tmp_path):
    def unread(operation, action, region, findings):
        return Unread(
            operation=operation, action=action, region=region, reason=Reason.ACCESS_DENIED, sentence="no",
            findings=findings,
        )  # fmt: skip

    listing, reading = ("sqs:ListQueues", "sqs:ListQueues"), ("sqs:GetQueueAttributes",) * 2
    failing = ("glue:GetJobs", "")
    put(tmp_path, A, 1, 0, gaps=[unread(*listing, "eu-west-1", 3), unread(*listing, "us-east-1", 4)])
    put(tmp_path, B, 1, 0, gaps=[unread(*listing, "eu-west-1", 1), unread(*reading, "eu-west-1", 8)])
    put(tmp_path, C, 1, 0, gaps=[unread(*failing, "eu-west-1", 2)])
    found = call(tmp_path)["gaps"]
    assert [(gap["operation"], gap["action"], gap["accounts"], gap["findings"]) for gap in found] == [
        (*reading, 1, 8),
        (*listing, 2, 8),
        (*failing, 1, 2),
    ]


def test_no_run_and_an_unknown_one(tmp_path):
    assert "holds no run;" in call(tmp_path, code=None)
    put(tmp_path, A, 1, 0)
    assert "holds no run 20200101T000000Z" in call(tmp_path, "--run", "20200101T000000Z", code=None)


def test_an_earlier_run_is_the_trend(tmp_path):
    earlier = "20261125T060000Z"
    put(tmp_path, A, 1, 1, run=earlier)
    CliRunner().invoke(merge, [str(tmp_path)])
    put(tmp_path, A, 1, 0)
    assert [(p["run"], p["score"]) for p in call(tmp_path)["trend"]] == [(earlier, 50.0)]


def test_a_point_of_the_trend_tells_what_was_open(tmp_path):
    earlier = "20261125T060000Z"
    put(tmp_path, A, 1, 3, run=earlier)
    CliRunner().invoke(merge, [str(tmp_path)])
    put(tmp_path, A, 1, 0)
    (point,) = call(tmp_path)["trend"]
    assert (point["high_risk"], point["medium_risk"], point["failing"], point["digest"]) == (1, 0, 3, "d")


def test_what_version_1_0_wrote_still_reads(tmp_path):
    """Its points had neither risks nor failures, and the whole no least coverage."""
    before, earlier = "20261124T060000Z", "20261125T060000Z"
    put(tmp_path, A, 1, 3, run=earlier)
    CliRunner().invoke(merge, [str(tmp_path)])
    path = tmp_path / f"organizations/{earlier}/organization.json"
    old = msgspec.json.decode(path.read_bytes())
    del old["least_coverage"]
    old["version"] = "1.0"
    old["trend"] = [{"run": before, "score": 1.0, "coverage": 2.0, "audited": 3, "planned": 4}]
    path.write_bytes(msgspec.json.encode(old))
    put(tmp_path, A, 1, 0)
    (point,) = call(tmp_path)["trend"]
    assert (point["run"], point["failing"]) == (earlier, 3)
    (oldest,) = msgspec.json.decode(path.read_bytes(), type=told.Organization).trend
    assert (oldest.run, oldest.high_risk, oldest.failing, oldest.digest) == (before, None, None, "")
