"""The rulebook: every way in which it refuses to start, and what overlays and selections do to it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wa_audit import rulebook
from wa_audit.assess import judge
from wa_audit.collect import plan
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Finding, Pillar, Resource, Severity, Status
from wa_audit.rulebook import Rulebook
from wa_audit.score import score

CHECK = '''
from wa_audit.rule import Resource, Verdict, check, failed, passed


@check("AWS::SQS::Queue")
def queue_forgets(queue: Resource, *, most_days: int, names: list[str], label: str, strict: bool) -> Verdict:
    """Passes where messages are kept for `most_days` at most."""
    days = queue["MessageRetentionPeriod"] / 86400
    return passed("forgets") if days <= most_days else failed(f"keeps messages for {days:g} days")
'''
RULES = """
security:
  queue-forgets:
    severity: medium
    title: Queues forget
    failure_title: A queue remembers
    best_practices: [SEC08-BP02]
    reads: ["sqs:GetQueueAttributes"]
    params: {most_days: 4, names: [a], label: x, strict: true}
    why: Because.
    fix: Do it.
"""
# Every field that a rule of one's own must have, but for what makes it one.
WORDS = (
    "severity: low, title: T, failure_title: F, why: W, fix: X, best_practices: [SEC08-BP02], "
    "resource_type: AWS::SQS::Queue"
)

Load = Callable[..., Rulebook]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rulebook of one rule: rules.yaml and its folder of checks."""
    made = tmp_path / "book"
    (made / "security").mkdir(parents=True)
    (made / "rules.yaml").write_text(RULES)
    (made / "security" / "queues.py").write_text(CHECK)
    return made


@pytest.fixture
def load(folder: Path, tmp_path: Path) -> Load:
    """Loads that rulebook with overlays of these texts."""

    def load(*overlays: str, **more: Any) -> Rulebook:
        paths = []
        for number, text in enumerate(overlays):
            path = tmp_path / f"overlay{number or ''}.yaml"
            path.write_text(textwrap.dedent(text).lstrip("\n"))
            paths.append(path)
        return rulebook.load(overlays=paths, rules=folder / "rules.yaml", checks=folder, **more)

    return load


def refusal(call: Callable[[], Any]) -> str:
    """The one line that a rulebook refuses to start with."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    return line


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("security:\n  a: {b: 1\nreliability: 2", "line 3: not YAML: while parsing a flow mapping"),
        ("security:\n\tqueue-forgets: 1", "line 2: not YAML: while scanning for the next token"),
        ("a: 1\n---\nb: 2", "line 2: not YAML: expected a single document"),
        ("!!python/object/apply:os.system ['true']", "line 1: not YAML: could not determine a constructor"),
        ("security: {x: 2026-13-45}", "not YAML: month must be in 1..12"),
        ("- security", "line 1: holds a list, not rules by pillar"),
        ("security", "line 1: holds text, not rules by pillar"),
        ("security: 3", "line 1: security holds rules by their names"),
        ("security: {}\nreliability: {}\nsecurity: {}", "line 3: 'security' stands already at line 1"),
        ("[" * 30_000, "not YAML: "),
    ],
    ids=lambda value: value[:24].replace("\n", " ") if ":" not in value[:9] else value[:24],
)
def test_what_is_no_rule_file(load: Load, tmp_path: Path, text: str, words: str) -> None:
    line = refusal(lambda: load(text))
    assert line.startswith(f"{tmp_path}/overlay.yaml")
    assert words in line


def test_bytes_that_are_no_text(load: Load, tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"security: {caf\xe9: 1}")
    assert refusal(lambda: rulebook.load(overlays=[tmp_path / "latin.yaml"])).endswith(
        "latin.yaml: not UTF-8 text"
    )


def test_a_billion_laughs(load: Load) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    line = refusal(lambda: load("l0: &l0 [lol]\n" + "\n".join(levels)))
    assert line.endswith("overlay.yaml: over 50 aliases; write the values out")


def test_a_file_that_is_far_too_large(load: Load) -> None:
    assert "that is no rule file" in refusal(lambda: load("#" * 2_000_001))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    expected = "cannot be read: No such file or directory"
    assert refusal(lambda: rulebook.load(overlays=[nothing])) == f"{nothing}: {expected}"
    assert refusal(lambda: rulebook.load(folders=[nothing])) == f"{nothing}/rules.yaml: {expected}"
    assert (
        refusal(lambda: rulebook.load(overlays=[tmp_path])) == f"{tmp_path}: cannot be read: Is a directory"
    )


def test_an_empty_overlay_changes_nothing(load: Load) -> None:
    assert load("").rules == load("security:\n").rules == load("# nothing yet\n").rules


# -- overlays --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("securty: {}", "line 1: unknown pillar 'securty'; did you mean 'security'?"),
        ("security:\n  queue-forget: {severity: low}", "line 2: unknown rule 'queue-forget'; did you mean"),
        ("security:\n  zzz: {severity: low}", "(a rule of your own needs an 'assert')"),
        (
            "reliability:\n  queue-forgets: {severity: low}",
            "line 2: rule 'queue-forgets' belongs under security",
        ),
        (
            "security:\n  queue-forgets:\n    severity: hihg",
            "line 3: queue-forgets.severity: unknown value 'hihg'; did you mean 'high'?",
        ),
        (
            "security:\n  queue-forgets:\n    severity: 9",
            "line 3: queue-forgets.severity: expected text, got a number",
        ),
        (
            "security:\n  queue-forgets:\n    sevrity: low",
            "line 3: queue-forgets: unknown field 'sevrity'; did you mean 'severity'?",
        ),
        (
            "security:\n  queue-forgets:\n    title: T",
            "line 3: queue-forgets: unknown field 'title'; there are severity, params, enabled",
        ),
        ("security:\n  queue-forgets: low", "line 2: queue-forgets: expected a mapping, got text"),
        (
            "security:\n  queue-forgets:\n    enabled: perhaps",
            "line 3: queue-forgets.enabled: expected true or false, got text",
        ),
        ("security:\n  queue-forgets: {params: 3}", "line 2: queue-forgets.params: expected a mapping"),
        (
            "security:\n  queue-forgets:\n    params:\n      most_day: 3",
            "line 4: unknown parameter 'most_day'; did you mean 'most_days'?",
        ),
        (
            "security:\n  queue-forgets:\n    params: {zzz: 3}",
            "unknown parameter 'zzz'; there are label, most_days, names, strict",
        ),
        ("scoring: 3", "line 1: expected a mapping, got a number"),
        (
            "scoring:\n  least_coverge: 3",
            "line 2: unknown field 'least_coverge'; did you mean 'least_coverage'?",
        ),
        ("scoring:\n  least_coverage: 101", "line 2: least_coverage is a percentage"),
        ("scoring:\n  least_coverage: .nan", "line 2: least_coverage is a percentage"),
        (
            "scoring:\n  pillar_weights:\n    securiti: 3",
            "line 3: pillar_weights: unknown value 'securiti'; did you mean 'security'?",
        ),
        ("scoring:\n  pillar_weights: {security: -1}", "line 2: pillar_weights are 0 or more, and not all 0"),
        (
            "scoring:\n  pillar_weights: {security: .nan}",
            "line 2: pillar_weights are 0 or more, and not all 0",
        ),
        (
            "scoring:\n  pillar_weights: {security: .inf}",
            "line 2: pillar_weights are 0 or more, and not all 0",
        ),
    ],
)
def test_an_overlay_that_is_wrong(load: Load, text: str, words: str) -> None:
    assert words in refusal(lambda: load(text))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("most_days: soon", "parameter 'most_days' is a number, as in 4"),
        ("most_days: true", "parameter 'most_days' is a number, as in 4"),
        ("most_days: .nan", "parameter 'most_days' is a number, as in 4"),
        ("most_days: null", "parameter 'most_days' is a number, as in 4"),
        ("names: a", "parameter 'names' is a list, as in ['a']"),
        ("names: [1]", "parameter 'names' is a list, as in ['a']"),
        ("label: [x]", "parameter 'label' is text, as in 'x'"),
        ("strict: 1", "parameter 'strict' is true or false, as in True"),
    ],
)
def test_a_parameter_of_the_wrong_type(load: Load, value: str, words: str) -> None:
    line = refusal(lambda: load(f"security:\n  queue-forgets:\n    params:\n      {value}"))
    assert "overlay.yaml, line 4: " in line
    assert words in line


def test_a_number_may_be_a_fraction(load: Load) -> None:
    assert (
        load("security: {queue-forgets: {params: {most_days: 0.5}}}")["queue-forgets"].params["most_days"]
        == 0.5
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("assert: 'a ||| b'", "line 2: assert: 'a ||| b' is not a JMESPath expression: invalid token"),
        ("assert: Tags, when: 'a['", "line 2: when: 'a[' is not a JMESPath expression: "),
        ("assert: 'key(Tags)'", "line 2: assert: unknown JMESPath function 'key'; did you mean 'keys'?"),
        ("assert: Tags, params: {a: 1}", "line 2: a rule with an 'assert' has no params"),
        ("assert: true", "line 2: mine.assert: expected text, got true or false"),
        ("assert: Tags, titel: x", "line 2: mine: unknown field 'titel'; did you mean 'title'?"),
    ],
)
def test_an_expression_that_is_wrong(load: Load, entry: str, words: str) -> None:
    assert words in refusal(lambda: load(f"security:\n  mine: {{{WORDS}, {entry}}}"))


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ("resource_type: AWS::SQS::Queue", "line 2: a rule with an 'assert' names its 'resource_type'"),
        ("why: W, ", "line 2: mine: lacks 'why'"),
        ("best_practices: [SEC08-BP02], ", "line 2: mine: lacks 'best_practices'"),
    ],
)
def test_an_expression_that_lacks_words(load: Load, without: str, words: str) -> None:
    entry = f"{WORDS}, assert: Tags".replace(without, "").replace(", ,", ",")
    assert words in refusal(lambda: load(f"security:\n  mine: {{{entry}}}"))


def test_an_expression_over_what_is_not_read(load: Load) -> None:
    """A misspelt type or field would have the rule look at nothing, and judge by it."""
    book = load(f"security:\n  mine: {{{WORDS}, assert: KmsMasterKeyI}}")
    line = refusal(lambda: plan.plan(book.rules))
    assert line.startswith("rule mine (")
    assert line.endswith("unknown field 'KmsMasterKeyI'; did you mean 'KmsMasterKeyId'?")

    book = load(f"security:\n  mine: {{{WORDS.replace('Queue', 'Queu')}, assert: Tags}}")
    assert "unknown resource type 'AWS::SQS::Queu'; did you mean 'AWS::SQS::Queue'?" in refusal(
        lambda: plan.plan(book.rules)
    )


def test_an_overlay_cannot_replace_a_check(load: Load) -> None:
    line = refusal(lambda: load(f"security:\n  queue-forgets: {{{WORDS}, assert: Tags}}"))
    assert "line 2: rule 'queue-forgets' exists already; an overlay cannot replace its check" in line


def test_practices_that_do_not_exist(load: Load) -> None:
    entry = f"{WORDS}, assert: Tags".replace("SEC08-BP02", "SEC08-BP92")
    assert "line 2: unknown best practice 'SEC08-BP92'; did you mean 'SEC" in refusal(
        lambda: load(f"security:\n  mine: {{{entry}}}")
    )
    assert "line 3: unknown lens practice 'BP 99.1'" in refusal(
        lambda: load(f"security:\n  mine: {{{WORDS}, assert: Tags,\n    analytics_lens: [BP 99.1]}}")
    )


# -- folders of checks -----------------------------------------------------------------------------


@pytest.fixture
def changed(folder: Path, load: Load) -> Callable[..., str]:
    """The refusal after something in the folder's two files was replaced."""

    def refuse(old: str, new: str) -> str:
        for path in (folder / "rules.yaml", folder / "security" / "queues.py"):
            path.write_text(path.read_text().replace(old, new))
        return refusal(load)

    return refuse


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "  queue-forgets:",
            "  queue-forget:",
            "rules.yaml, line 3: rule 'queue-forget' has no check: no function",
        ),
        (
            "def queue_forgets",
            "def queue_forget",
            "no function queue_forgets in security/<theme>.py, and no 'assert'",
        ),
        (
            RULES,
            "security: {}",
            "queues.py, line 5: check queue_forgets has no entry 'queue-forgets' under 'security'",
        ),
        ("most_days: 4,", "", "rules.yaml, line 3: params lacks most_days, which the check takes"),
        ("most_days: 4", "most_day: 4", "line 9: unknown parameter 'most_day'; did you mean 'most_days'?"),
        ("SEC08-BP02", "SEC08-BP2", "line 7: unknown best practice 'SEC08-BP2'; did you mean 'SEC08-BP02'?"),
        ("why: Because.", "why: [1]", "line 10: queue-forgets.why: expected text, got a list"),
        ("    fix: Do it.", "", "line 3: queue-forgets: lacks 'fix'"),
        ("fix:", "theme: x\n    fix:", "line 11: 'theme' goes with an 'assert'; a check says it in Python"),
        ("queue: Resource, *,", "*,", "line 3: the check takes a resource, or a resource and the inventory"),
        ("Verdict:\n", "Verdict\n", "queues.py, line 6: does not import: SyntaxError: expected ':'"),
        (
            "from wa_audit.rule",
            "from wa_audit.rul",
            "queues.py, line 2: does not import: ModuleNotFoundError",
        ),
        ("@check", "raise SystemExit(3)\n@check", "queues.py, line 5: does not import: SystemExit: 3"),
        (
            "@check",
            "1 / 0\n@check",
            "queues.py, line 5: does not import: ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_folder_that_is_wrong(changed: Callable[..., str], old: str, new: str, words: str) -> None:
    assert words in changed(old, new)


def test_two_checks_of_one_name(folder: Path, load: Load) -> None:
    (folder / "security" / "streams.py").write_text(CHECK)
    line = refusal(load)
    assert "streams.py, line 5: check queue_forgets is also at " in line
    assert line.endswith("queues.py, line 5")


def test_a_rule_that_exists_already(folder: Path, load: Load) -> None:
    line = refusal(lambda: load(folders=[folder]))
    assert "rules.yaml, line 3: rule 'queue-forgets' exists already (built-in)" in line


def test_an_unknown_plugin(load: Load) -> None:
    assert refusal(lambda: load(plugins=["nothing"])) == "unknown plugin 'nothing'; there are none"


def test_a_plugin_that_is_wrong(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    (site / "house_rules-1.dist-info").mkdir(parents=True)
    (site / "house_rules-1.dist-info" / "METADATA").write_text("Name: house-rules\nVersion: 1\n")
    (site / "house_rules-1.dist-info" / "entry_points.txt").write_text(
        "[wa_audit.checks]\nhouse = house_rules_broken\nmodule = house_rules_module\n"
    )
    (site / "house_rules_broken.py").write_text("1 / 0")
    (site / "house_rules_module.py").write_text("")
    monkeypatch.syspath_prepend(str(site))
    assert refusal(lambda: load(plugins=["hous"])) == "unknown plugin 'hous'; did you mean 'house'?"
    assert refusal(lambda: load(plugins=["house"])) == (
        "plugin 'house' does not import: ZeroDivisionError: division by zero"
    )
    assert refusal(lambda: load(plugins=["module"])) == (
        "plugin 'module': its entry point 'house_rules_module' is no package with a rules.yaml"
    )


# -- what overlays do ------------------------------------------------------------------------------


def queue(days: float, **data: Any) -> Resource:
    return Resource(
        type="AWS::SQS::Queue",
        arn="arn:aws:sqs:eu-west-1:123456789012:orders",
        name="orders",
        account="123456789012",
        data={"MessageRetentionPeriod": days * 86400, **data},
    )


NOTHING = Inventory(Run(account="123456789012"), [])


def test_a_severity_is_changed(load: Load) -> None:
    assert load()["queue-forgets"].severity is Severity.MEDIUM
    assert (
        load("security: {queue-forgets: {severity: critical}}")["queue-forgets"].severity is Severity.CRITICAL
    )


def test_a_parameter_changes_the_verdict(load: Load) -> None:
    strict, lax = load(), load("security: {queue-forgets: {params: {most_days: 14}}}")
    assert judge(strict["queue-forgets"], queue(7), NOTHING).status is Status.FAIL
    assert judge(lax["queue-forgets"], queue(7), NOTHING).status is Status.PASS
    assert lax["queue-forgets"].params == {"most_days": 14, "names": ["a"], "label": "x", "strict": True}


def test_a_check_behind_another_function_has_its_parameters(load: Load, folder: Path) -> None:
    guard = "from functools import wraps\nguard = lambda own: wraps(own)(lambda *a, **k: own(*a, **k))\n"
    (folder / "security" / "queues.py").write_text(guard + CHECK.replace("@check", "@guard\n@check"))
    strict, lax = load(), load("security: {queue-forgets: {params: {most_days: 14}}}")
    assert judge(strict["queue-forgets"], queue(7), NOTHING).status is Status.FAIL
    assert judge(lax["queue-forgets"], queue(7), NOTHING).status is Status.PASS


def test_the_last_overlay_has_the_last_word(load: Load) -> None:
    first = "security: {queue-forgets: {severity: low, params: {most_days: 1}}}"
    rule = load(first, "security: {queue-forgets: {severity: high}}")["queue-forgets"]
    assert (rule.severity, rule.params["most_days"]) == (Severity.HIGH, 1)


def test_a_rule_is_switched_off(load: Load) -> None:
    book = load(f"security: {{queue-forgets: {{enabled: false}}, mine: {{{WORDS}, assert: Tags}}}}")
    assert [rule.id for rule in book.rules] == ["mine"]


def test_a_rule_is_added(load: Load) -> None:
    book = load(f"security:\n  mine: {{{WORDS}, assert: 'Tags.team', when: FifoQueue}}")
    rule = book["mine"]
    assert (rule.theme, rule.types) == ("custom", ("AWS::SQS::Queue",))
    assert rule.judgement == "Passes where `Tags.team` holds, judged where `FifoQueue`."
    verdicts = [
        judge(rule, queue(1, FifoQueue=True, Tags={"team": "data"}), NOTHING),
        judge(rule, queue(1, FifoQueue=True), NOTHING),
        judge(rule, queue(1, FifoQueue=False), NOTHING),
    ]
    assert [verdict.status for verdict in verdicts] == [Status.PASS, Status.FAIL, Status.NOT_APPLICABLE]
    assert verdicts[0].evidence == {"FifoQueue": True, "Tags": {"team": "data"}}


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("KmsMasterKeyId", {"KmsMasterKeyId"}),
        ("RedrivePolicy.maxReceiveCount > `3`", {"RedrivePolicy"}),
        ("Policy.Statement[?Effect == 'Deny'].Sid | [0]", {"Policy"}),
        ("length(keys(Tags)) > `2` && !FifoQueue", {"Tags", "FifoQueue"}),
        ("@.Tags", {"Tags"}),
        ("{a: Tags, b: [QueueArn, QueueUrl]}", {"Tags", "QueueArn", "QueueUrl"}),
        ("sort_by(Policy.Statement, &Sid)", {"Policy"}),
        ("Policy.Statement[0:2:1][].Sid", {"Policy"}),
    ],
)
def test_the_fields_that_an_expression_looks_at(load: Load, expression: str, fields: set[str]) -> None:
    rule = load(f'security:\n  mine: {{{WORDS}, assert: "{expression}"}}')["mine"]
    assert set(rule.function.fields) == fields  # type: ignore[attr-defined]


# -- selection -------------------------------------------------------------------------------------


def test_selection(load: Load) -> None:
    book = load(
        f"""
        security:
          mine: {{{WORDS}, assert: Tags}}
        reliability:
          yours: {{{WORDS}, assert: Tags}}
        """
    )

    def ids(**wanted: Any) -> list[str]:
        return [rule.id for rule in book.select(**wanted).rules]

    assert ids() == ["mine", "queue-forgets", "yours"]
    assert ids(pillars=["security"]) == ["mine", "queue-forgets"]
    assert ids(severities=["low"]) == ["mine", "yours"]
    assert ids(rules=["yours", "mine"]) == ["mine", "yours"]
    assert ids(pillars=["security"], severities=["low"]) == ["mine"]
    for wanted, words in (
        ({"rules": ["min"]}, "unknown rule 'min'; did you mean 'mine'?"),
        ({"pillars": ["relability"]}, "unknown pillar 'relability'; did you mean 'reliability'?"),
        ({"pillars": ["reliability"], "severities": ["high"]}, "no rule is left by"),
    ):
        assert words in refusal(lambda wanted=wanted: ids(**wanted))  # type: ignore[misc]


# -- digest and scoring ----------------------------------------------------------------------------


def test_the_digest_changes_with_whatever_is_judged_by(folder: Path, load: Load) -> None:
    seen = [load().digest, load("security: {queue-forgets: {severity: low}}").digest]
    assert load().digest == seen[0]
    for path in (folder / "rules.yaml", folder / "security" / "queues.py"):
        path.write_text(path.read_text() + "# a word more\n")
        seen.append(load().digest)
    assert len(set(seen)) == len(seen) == 4


def findings(**statuses: str) -> Iterator[Finding]:
    for rule, marks in statuses.items():
        for number, mark in enumerate(marks):
            status = {"p": Status.PASS, "f": Status.FAIL, "n": Status.NOT_EVALUATED}[mark]
            yield Finding(
                rule=rule.replace("_", "-"),
                arn=f"arn:aws:sqs:eu-west-1:123456789012:{number}",
                type="AWS::SQS::Queue",
                name=str(number),
                account="123456789012",
                status=status,
                severity=Severity.LOW,
                message="",
            )


TWO_PILLARS = f"""
reliability:
  yours: {{{WORDS}, assert: Tags}}
"""


def test_pillars_are_weighed_as_the_scoring_says(load: Load) -> None:
    even = score(findings(queue_forgets="pp", yours="ff"), load(TWO_PILLARS))
    assert even.overall.score == 50.0
    heavy = load(TWO_PILLARS, "scoring: {pillar_weights: {security: 3}}")
    assert heavy.pillar_weights[Pillar.SECURITY] == 3
    assert score(findings(queue_forgets="pp", yours="ff"), heavy).overall.score == 75.0
    alone = load(TWO_PILLARS, "scoring: {pillar_weights: {security: 0}}")
    assert score(findings(queue_forgets="pp", yours="ff"), alone).overall.score == 0.0


def test_a_score_needs_the_least_coverage(load: Load) -> None:
    half = list(findings(queue_forgets="pn"))
    assert score(half, load()).overall.score == 100.0
    demanding = score(half, load("scoring: {least_coverage: 51}")).overall
    assert (demanding.score, demanding.coverage) == (None, 50.0)
    assert score(findings(queue_forgets="nn"), load("scoring: {least_coverage: 0}")).overall.score is None


# -- the built-in rulebook -------------------------------------------------------------------------

BOOK = rulebook.load()


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_has_all_its_words(rule: rulebook.Rule) -> None:
    for words in (rule.title, rule.failure_title):
        assert words[0].isupper()
        assert not words.endswith(".")
    assert rule.title != rule.failure_title
    assert rule.why.endswith(".")
    assert rule.fix.endswith((".", "`", ")"))
    assert rule.judgement
    assert rule.best_practices


def test_the_built_in_rulebook_can_be_read_as_a_whole() -> None:
    assert plan.operations(plan.plan(BOOK.rules))
