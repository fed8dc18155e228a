"""Two audits held against each other: what agrees, what must be argued, and what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare, comparison, comparison_table, emulated
from benchmarks.comparison import NONE, Apart, Argument, Topic
from wa_audit import rulebook
from wa_audit.model import ConfigurationError

ACCOUNT = "123456789012"
RULE = "s3-bucket-tls-only"
TOPIC = Topic(RULE, ["tls", "tls_strict"])
SOURCE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html"


def audit(*rows: tuple[str, str, str], rule: str = RULE) -> dict[str, Any]:
    """wa-audit's document: rows of ARN, Region and status."""
    return {
        "findings": [
            {"rule": rule, "resource": arn, "status": status, "message": f"is {status}"}
            for arn, _, status in rows
        ],
        "resources": {arn: {"name": arn.rpartition(":")[2], "region": region} for arn, region, _ in rows},
    }


def finding(check: str, arn: str, status: str, region: str = "eu-west-1") -> dict[str, Any]:
    """One of Prowler's."""
    return {
        "metadata": {"event_code": check},
        "status_code": status,
        "status_detail": f"{arn} is {status}",
        "resources": [{"uid": arn, "name": arn.rpartition(":")[2], "region": region}],
    }


def pairs(topic: Topic, mine: dict[str, Any], said: list[dict[str, Any]]) -> list[comparison.Pair]:
    return comparison.pairs([topic], comparison.ours(mine), comparison.theirs(said))


def only(topic: Topic, mine: dict[str, Any], said: list[dict[str, Any]]) -> comparison.Pair:
    (pair,) = pairs(topic, mine, said)
    return pair


@pytest.mark.parametrize(
    ("ours", "theirs", "agrees"),
    [
        ("fail", "FAIL", True),
        ("pass", "PASS", True),
        ("not_applicable", "PASS", True),
        ("pass", NONE, True),
        ("not_evaluated", NONE, True),
        (NONE, "PASS", True),
        ("fail", "PASS", False),
        ("fail", NONE, False),
        ("pass", "FAIL", False),
        ("not_applicable", "FAIL", False),
        (NONE, "FAIL", False),
        ("not_evaluated", "PASS", False),
        ("not_evaluated", "FAIL", False),
    ],
)
def test_they_disagree_where_one_alone_sees_a_problem_or_we_cannot_say(
    ours: str, theirs: str, agrees: bool
) -> None:
    pair = comparison.Pair(rule=RULE, resource="s3::a", name="a", ours=ours, theirs=theirs)

    assert pair.agrees is agrees


def test_one_failing_check_of_several_fails_the_topic() -> None:
    said = [finding("tls", "arn:aws:s3:::a", "PASS"), finding("tls_strict", "arn:aws:s3:::a", "FAIL")]

    pair = only(TOPIC, audit(("arn:aws:s3:::a", "eu-west-1", "fail")), said)

    assert (pair.ours, pair.theirs, pair.checks) == ("fail", "FAIL", ("tls_strict",))


def test_what_is_left_to_people_is_no_verdict() -> None:
    said = [finding("tls", "arn:aws:s3:::a", "MANUAL")]

    assert only(TOPIC, audit(("arn:aws:s3:::a", "", "fail")), said).theirs == NONE


def test_an_accepted_failure_is_a_failure() -> None:
    assert only(TOPIC, audit(("arn:aws:s3:::a", "", "suppressed")), []).ours == "fail"


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        ("arn:aws:s3:::a", "arn:aws:s3:::a"),
        (f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:iam::{ACCOUNT}:role/r"),
        (
            f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a",
            f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a:*",
        ),
        (
            f"arn:aws:elasticmapreduce:eu-west-1:{ACCOUNT}:cluster/j-1",
            f"arn:aws:elasticmapreduce:us-east-1:{ACCOUNT}:cluster/j-1",
        ),
        (f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"),
    ],
)
def test_a_resource_is_one_however_it_is_written(mine: str, said: str) -> None:
    pair = only(TOPIC, audit((mine, "eu-west-1", "pass")), [finding("tls", said, "PASS")])

    assert (pair.ours, pair.theirs) == ("pass", "PASS")


def test_queues_of_two_regions_are_two() -> None:
    mine = audit((f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q", "eu-west-1", "pass"))
    said = [finding("tls", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:q", "PASS", "eu-central-1")]

    assert [(p.ours, p.theirs) for p in pairs(TOPIC, mine, said)] in (
        [("pass", NONE), (NONE, "PASS")],
        [(NONE, "PASS"), ("pass", NONE)],
    )


@pytest.mark.parametrize(("by", "number"), [("account", 1), ("region", 2)])
def test_trails_are_held_against_the_account_or_region_that_they_watch(by: Any, number: int) -> None:
    topic = Topic(RULE, ["tls"], by)
    mine = audit((f"arn:aws:iam::{ACCOUNT}:root", "eu-west-1", "fail"))
    trail = f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t"
    said = [finding("tls", trail, "FAIL"), finding("tls", trail, "PASS", "eu-central-1")]

    found = pairs(topic, mine, said)

    assert len(found) == number
    assert {(pair.ours, pair.theirs) for pair in found} >= {("fail", "FAIL")}


def argument(**fields: Any) -> Argument:
    told = {"ours": "fail", "theirs": "PASS", "right": "ours", "because": "AWS says so", "source": SOURCE}
    return Argument(**({"rule": RULE} | told | fields))


def test_a_disagreement_needs_an_argument_and_an_argument_a_disagreement() -> None:
    mine = audit(("arn:aws:s3:::orders", "", "fail"), ("arn:aws:s3:::logs", "", "fail"))
    said = [finding("tls", arn, "PASS") for arn in ("arn:aws:s3:::orders", "arn:aws:s3:::logs")]
    why = [argument(resources=("ord*",)), argument(ours="pass", theirs="FAIL")]

    found = comparison.compare(pairs(TOPIC, mine, said), why)

    assert [pair.name for pair, _ in found.argued] == ["orders"]
    assert [pair.name for pair in found.unargued] == ["logs"]
    assert found.idle == [why[1]]


def test_the_page_tells_hostile_names_harmlessly() -> None:
    mine = audit(("arn:aws:s3:::a|b\x1b[31m", "", "fail"))
    found = comparison.compare(pairs(TOPIC, mine, []), [argument(theirs=NONE)])

    page = comparison_table.markdown(found, [Apart(RULE, ["other"], "another | question")]).decode()

    assert "\x1b" not in page
    assert "a\\|b" in page
    assert "another \\| question" in page


# -- the files, and the command --------------------------------------------------------------------


@pytest.fixture
def rules() -> list[str]:
    return [rule.id for rule in rulebook.load().rules]


def test_what_was_written_down_is_well_formed(rules: list[str]) -> None:
    same, apart = comparison.topics(compare.TOPICS, rules)
    judged = [topic.rule for topic in same]

    assert len(judged) == len(set(judged)) > 40
    assert all(entry.because for entry in apart)
    assert {entry.rule for entry in comparison.arguments(compare.ARGUMENTS, rules)} <= set(judged)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arguments: 3", "line 1: arguments holds a number, not a list"),
        ("arguments:\n- {rule: s3-bucket-tls}", "line 2: entry 1: lacks 'ours'"),
        ("- a", "line 1: holds a list, not arguments"),
    ],
)
def test_a_malformed_argument_is_refused_with_its_line(
    tmp_path: Path, rules: list[str], text: str, words: str
) -> None:
    path = tmp_path / "arguments.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as told:
        comparison.arguments(path, rules)

    assert words in str(told.value)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("source", "https://example.com/", "no page of AWS's documentation"),
        ("rule", "s3-bucket-tls", "did you mean 's3-bucket-tls-only'?"),
        ("right", "theirs", "right"),
    ],
)
def test_an_argument_names_a_rule_of_ours_and_a_page_of_theirs(
    tmp_path: Path, rules: list[str], field: str, value: str, words: str
) -> None:
    entry = {
        "rule": RULE,
        "ours": "fail",
        "theirs": "PASS",
        "right": "ours",
        "because": "x",
        "source": SOURCE,
    }
    path = tmp_path / "arguments.yaml"
    path.write_text(json.dumps({"arguments": [entry | {field: value}]}))

    with pytest.raises(ConfigurationError) as told:
        comparison.arguments(path, rules)

    assert words in str(told.value)


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the outputs of both, which agree; what is written goes beside it."""
    monkeypatch.setattr(compare, "TABLE", tmp_path / "compare.md")
    monkeypatch.setattr(compare, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(compare, "ARGUMENTS", tmp_path / "arguments.yaml")
    (tmp_path / "arguments.yaml").write_text("arguments: []")
    (tmp_path / "audit.json").write_text(json.dumps(audit(("arn:aws:s3:::a", "", "pass"))))
    said = [finding("s3_bucket_secure_transport_policy", "arn:aws:s3:::a", "PASS")]
    (tmp_path / "prowler.ocsf.json").write_text(json.dumps(said))
    return tmp_path


def test_agreement_ends_with_0(outputs: Path) -> None:
    assert compare.main(["--from", str(outputs)]) == 0
    assert "1 resource judged by both on 1 topics: 1 alike" in (outputs / "compare.md").read_text()
    (row,) = json.loads((outputs / "results" / "compare.json").read_text())["rows"]
    assert (row["ours"], row["theirs"], row["agrees"]) == ("pass", "PASS", True)


def test_a_disagreement_without_an_argument_ends_with_1(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (outputs / "audit.json").write_text(json.dumps(audit(("arn:aws:s3:::a", "", "fail"))))

    assert compare.main(["--from", str(outputs)]) == 1
    assert "no argument: s3-bucket-tls-only on a: fail against PASS" in capsys.readouterr().out


def test_an_idle_argument_ends_with_1(outputs: Path) -> None:
    entry = {
        "rule": RULE,
        "ours": "fail",
        "theirs": "PASS",
        "right": "ours",
        "because": "x",
        "source": SOURCE,
    }
    (outputs / "arguments.yaml").write_text(json.dumps({"arguments": [entry]}))

    assert compare.main(["--from", str(outputs)]) == 1


@pytest.mark.parametrize("name", ["audit.json", "prowler.ocsf.json"])
def test_an_output_that_is_not_there_or_cut_off_is_one_line(
    outputs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (outputs / name).write_text("{")
    assert compare.main(["--from", str(outputs)]) == 2
    (outputs / name).unlink()
    assert compare.main(["--from", str(outputs)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert f"{name}: not JSON" in first
    assert f"{name}: cannot be read" in second


def test_without_prowler_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROWLER", str(outputs / "nowhere"))

    assert compare.main([]) == 2
    assert "make bench-peer installs Prowler" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "path", "body", "words"),
    [
        ("RedshiftServerless.ListNamespaces", "/", b"{}", b'{"namespaces": []}'),
        ("", "/v1/connectors", b"", b'{"connectors": []}'),
        ("", "/", b"Action=DescribeDataShares&Version=2012-12-01", b"<DataShares/>"),
    ],
)
def test_what_the_account_has_not_is_answered_for_the_emulator(
    target: str, path: str, body: bytes, words: bytes
) -> None:
    found = emulated.answer(target, path, body)

    assert found is not None
    assert words in found[1]


@pytest.mark.parametrize(
    ("target", "path", "body"),
    [
        ("AmazonSQS.ListQueues", "/", b"{}"),
        ("", "/a-bucket", b"Action=DescribeClusters"),
        ("", "/", b""),
    ],
)
def test_everything_else_is_left_to_the_emulator(target: str, path: str, body: bytes) -> None:
    assert emulated.answer(target, path, body) is None


@pytest.mark.parametrize(
    ("status", "single", "policies"),
    [
        ("200 OK", {"PolicyInJson": "{}"}, [{"PolicyInJson": "{}"}]),
        ("400 BAD REQUEST", {"__type": "EntityNotFoundException"}, []),
    ],
)
def test_a_catalogs_one_policy_is_its_list(status: str, single: dict[str, str], policies: list[Any]) -> None:
    asked = []

    def behind(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append((environ["HTTP_X_AMZ_TARGET"], environ["wsgi.input"].read()))
        start_response(status, [])
        return [json.dumps(single).encode()]

    environ = {
        "HTTP_X_AMZ_TARGET": "AWSGlue.GetResourcePolicies",
        "PATH_INFO": "/",
        "wsgi.input": io.BytesIO(b"{}"),
        "CONTENT_LENGTH": "2",
    }
    told: list[str] = []
    body = b"".join(emulated.Gateway(behind)(environ, lambda status, _headers: told.append(status)))

    assert asked == [("AWSGlue.GetResourcePolicy", b"{}")]
    assert told == ["200 OK"]
    assert json.loads(body) == {"GetResourcePoliciesResponseList": policies}
