"""The configuration: found, read, in force in the right order, or refused with file, line and key."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from tests.test_cli import Call, call, complaint, inventory  # noqa: F401 - fixtures
from wa_audit import cli, config, flags, rulebook, settings, tomlfile
from wa_audit.model import ConfigurationError

BOOK = rulebook.load()
SCHEMA = json.loads(settings.schema(BOOK))


def in_force(call: Call, *arguments: str | Path, **environment: str) -> dict[str, tuple[object, str]]:  # noqa: F811
    done = call("config", "--json", *arguments, **environment)
    assert done.code == 0, done.err
    return {row["key"]: (row["value"], row["from"]) for row in json.loads(done.out)}


def test_each_origin_goes_before_the_next(call: Call, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "wa-audit.toml").write_text('[options]\n\nfail-on = "low"\nregion = ["eu-west-1"]\n')
    assert in_force(call, "--no-config")["options.fail-on"] == (None, "default")
    assert in_force(call)["options.fail-on"] == ("low", "wa-audit.toml, line 3")
    assert in_force(call)["options.region"] == (["eu-west-1"], "wa-audit.toml, line 4")
    by_environment = in_force(call, WA_AUDIT_FAIL_ON="high")
    assert by_environment["options.fail-on"] == ("high", "environment variable WA_AUDIT_FAIL_ON")
    by_flag = in_force(call, "--fail-on", "info", WA_AUDIT_FAIL_ON="high")
    assert by_flag["options.fail-on"] == ("info", "flag --fail-on")


def test_it_holds_for_the_commands(call: Call, tmp_path: Path, inventory: Path) -> None:  # noqa: F811
    (tmp_path / "wa-audit.toml").write_text(
        '[options]\nrule = ["sqs-queue-encrypted"]\nfail-on = "high"\nformat = ["csv"]\noutput = "made"\n'
        '[rules.sqs-queue-encrypted]\nseverity = "critical"\n'
    )
    done = call("assess", inventory)
    assert done.code == 1
    assert "fail at high or worse: 1 (--fail-on)" in done.err
    assert "critical" in (tmp_path / "made" / "findings.csv").read_text()
    assert not (tmp_path / "audit.json").exists()

    # Said otherwise, or not to be asked at all:
    assert call("assess", inventory, "--fail-on", "critical", "--format", "json").code == 1
    assert (tmp_path / "made" / "audit.json").is_file()
    assert call("assess", inventory, "--no-config", "--rule", "sqs-queue-encrypted").code == 0
    assert call("--no-config", "assess", inventory, "--rule", "sqs-queue-encrypted").code == 0
    assert (tmp_path / "audit.json").is_file()


def test_the_nearest_upwards_is_used(
    call: Call,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.wa-audit.options]\nworkers = 7\noutput = "made"\n')
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    (below / "pyproject.toml").write_text("not TOML, and not about us")
    monkeypatch.chdir(below)
    found = in_force(call)
    assert found["options.workers"] == (7, f"{tmp_path / 'pyproject.toml'}, line 2")
    assert found["options.output"] == (str(tmp_path / "made"), f"{tmp_path / 'pyproject.toml'}, line 3")

    (tmp_path / "a" / "wa-audit.toml").write_text("options.workers = 8")
    assert in_force(call)["options.workers"] == (8, f"{tmp_path / 'a' / 'wa-audit.toml'}, line 1")
    (below / "wa-audit.toml").write_text("")
    assert in_force(call)["options.workers"] == (48, "default")
    named = in_force(call, "--config", tmp_path / "pyproject.toml")
    assert named["options.workers"][0] == 7
    assert in_force(call, WA_AUDIT_CONFIG=str(tmp_path / "pyproject.toml"))["options.workers"][0] == 7


def test_rules_and_scoring(call: Call, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "overlay.yaml").write_text(
        "reliability:\n  sqs-dlq-retention:\n    params: {least_days: 7}\nscoring: {least_coverage: 70}\n"
    )
    (tmp_path / "wa-audit.toml").write_text(
        "[rules.sqs-dlq-retention]\nseverity = 'low'\n[rules.sqs-dlq-retention.params]\nleast_days = 3\n"
        "[rules.sqs-queue-encrypted]\nenabled = false\n"
        "[scoring]\npillar_weights = {security = 2}\nleast_coverage = 60\n"
    )
    found = in_force(call)
    assert found["rules.sqs-dlq-retention.severity"] == ("low", "wa-audit.toml, line 2")
    assert found["rules.sqs-dlq-retention.params.least_days"] == (3, "wa-audit.toml, line 4")
    assert found["rules.sqs-queue-encrypted.enabled"] == (False, "wa-audit.toml, line 6")
    assert found["scoring.pillar_weights.security"] == (2, "wa-audit.toml, line 8")
    assert found["scoring.pillar_weights.reliability"] == (1, "default")
    assert found["scoring.least_coverage"] == (60, "wa-audit.toml, line 9")

    # What is named on the command line goes before what is found.
    found = in_force(call, "--rules", "overlay.yaml")
    assert found["rules.sqs-dlq-retention.severity"] == ("low", "wa-audit.toml, line 2")
    assert found["rules.sqs-dlq-retention.params.least_days"] == (7, "overlay.yaml, line 3")
    assert found["scoring.least_coverage"] == (70, "overlay.yaml, line 4")


def test_a_rule_that_is_off_can_be_switched_on(tmp_path: Path) -> None:
    path = tmp_path / "wa-audit.toml"
    path.write_text("[rules.sqs-dlq-retention]\nenabled = false\nparams.least_days = 3\n")
    document = tomlfile.read(path)
    ids = {rule.id for rule in rulebook.load(configuration=document).rules}
    assert "sqs-dlq-retention" not in ids
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("reliability: {sqs-dlq-retention: {severity: low}}")
    assert "sqs-dlq-retention" not in {
        r.id for r in rulebook.load(configuration=document, overlays=[overlay]).rules
    }
    overlay.write_text("reliability: {sqs-dlq-retention: {enabled: true}}")
    book = rulebook.load(configuration=document, overlays=[overlay])
    assert book["sqs-dlq-retention"].params["least_days"] == 3
    assert "rules.sqs-dlq-retention" not in book.changed


def test_the_digest_knows_of_it(tmp_path: Path) -> None:
    path = tmp_path / "wa-audit.toml"
    path.write_text("[options]\nworkers = 3\n")
    assert rulebook.load(configuration=tomlfile.read(path)).digest == BOOK.digest
    path.write_text("[rules.sqs-dlq-retention]\nseverity = 'low'\n")
    assert rulebook.load(configuration=tomlfile.read(path)).digest != BOOK.digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[option]\n", "line 1: unknown section 'option'; did you mean 'options'?"),
        ("\n[options]\nfail-onn = 'high'\n", "line 3: unknown option 'fail-onn'; did you mean 'fail-on'?"),
        (
            "[options]\nfail-on = 'hihg'\n",
            "line 2: fail-on holds the unknown value 'hihg'; did you mean 'high'?",
        ),
        ("[options]\nfail-on = 3\n", "line 2: fail-on is a text"),
        ("[options]\nformat = 'json'\n", "line 2: format is a list"),
        ("[options]\nformat = [\n  'json',\n  4,\n]\n", "line 2: format holds texts"),
        (
            "[options]\nformat = ['pdf']\n",
            "line 2: format holds the unknown value 'pdf'; there are json, html",
        ),
        ("[options]\nformat = ['html=']\n", "line 2: format cannot be: 'html=' names no file"),
        ("[options]\nworkers = 0\n", "line 2: workers cannot be: 0 is not in the range"),
        ("[options]\nworkers = 2.5\n", "line 2: workers is a whole number"),
        ("[options]\nworkers = true\n", "line 2: workers is a whole number"),
        ("[options]\nmin-score = nan\n", "line 2: min-score is a number"),
        ("[options]\nmin-score = 101\n", "line 2: min-score cannot be: "),
        ("[options]\nstrict = 'yes'\n", "line 2: strict is true or false"),
        ("[options]\ndry-run = true\n", "line 2: unknown option 'dry-run'"),
        ("options = 3\n", "line 1: options holds values by the names of flags"),
        (
            "[rules.sqs-dlq-retentionn]\n",
            "line 1: unknown rule 'sqs-dlq-retentionn'; did you mean 'sqs-dlq-retention'?",
        ),
        (
            "[rules.sqs-dlq-retention]\nseverty = 'low'\n",
            "line 2: sqs-dlq-retention: unknown field 'severty'",
        ),
        (
            "[rules.sqs-dlq-retention]\nseverity = 'lo'\n",
            "line 2: sqs-dlq-retention.severity: unknown value 'lo'",
        ),
        ("[rules.sqs-dlq-retention]\nparams.least_dayz = 3\n", "line 2: unknown parameter 'least_dayz'"),
        (
            "[rules.sqs-dlq-retention]\nparams.least_days = 'a'\n",
            "line 2: parameter 'least_days' is a number",
        ),
        ("[rules]\nsqs-dlq-retention = 3\n", "line 2: sqs-dlq-retention: expected a mapping, got a number"),
        ("rules = 3\n", "line 1: rules holds rules by their names"),
        ("[scoring]\nleast_coverage = 101\n", "line 2: least_coverage is a percentage"),
        ("[answers.'SEC10-BP99']\n", "line 1: unknown best practice 'SEC10-BP99'; did you mean 'SEC10-BP0"),
        ("[answers]\nSEC10-BP01 = {answer = 'yes'}\n", "line 2: SEC10-BP01: lacks 'who'"),
        ("[answers]\nSEC10-BP01.answer = 'maybe'\n", "line 2: SEC10-BP01.answer: unknown value 'maybe'"),
        (
            "[answers.SEC10-BP01]\nanswer = 'no'\nwho = ' '\ndate = 2026-01-01\n",
            "line 3: SEC10-BP01.who is empty",
        ),
        (
            "[answers.SEC10-BP01]\nanswer = 'no'\nwho = 'x'\ndate = 'soon'\n",
            "line 4: SEC10-BP01.date: invalid",
        ),
        ("answers = 3\n", "line 1: answers holds answers by the ids of best practices"),
        ("[options]\nworkers = \n", "line 2: not TOML: Invalid value"),
        ("[options]\nworkers = 1\nworkers = 2\n", "line 3: not TOML: Cannot overwrite a value"),
        ("[options\n", "line 1: not TOML: Expected ']' at the end of a table declaration"),
        ("a = '''", "line 1: not TOML: "),
    ],
)
def test_what_is_wrong_is_named(call: Call, tmp_path: Path, text: str, words: str) -> None:  # noqa: F811
    (tmp_path / "wa-audit.toml").write_text(text)
    assert complaint(call("config"), 2).startswith(f"wa-audit.toml, {words}")


def test_the_line_is_that_of_the_key(tmp_path: Path) -> None:
    """Of the key in question: not that of one of the same name, nor where its value ends."""
    path = tmp_path / "wa-audit.toml"
    path.write_text(
        "# options.region = 3\n"
        "rules.a.params = {region = 1, fail-on = 2}\n"
        '[scoring] # "]"\n'
        "text = '''\n[options]\nregion = 1\n'''\n"
        "\n"
        "[options]\n"
        "region = [ # fail-on\n"
        "  'a',\n"
        "\n"
        "]\n"
        'fail-on = """\\\n   high"""\n'
        "'strict' = true\n"
        "[[list]]\n"
        "x = 1\n"
    )
    document = tomlfile.read(path)
    assert document is not None
    for line, keys in {
        2: ("rules", "a", "params", "fail-on"),
        3: ("scoring",),
        4: ("scoring", "text"),
        9: ("options",),
        10: ("options", "region", "1"),
        14: ("options", "fail-on"),
        16: ("options", "strict"),
        18: ("list", "x"),
    }.items():
        assert document.line(*keys) == line, keys
    assert document.line("nothing") == 0


def test_files_that_cannot_be(call: Call, tmp_path: Path) -> None:  # noqa: F811
    assert "gone.toml: cannot be read" in complaint(call("config", "--config", "gone.toml"), 2)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert "holds no [tool.wa-audit]" in complaint(call("config", "--config", "pyproject.toml"), 2)
    (tmp_path / "pyproject.toml").write_text("[tool]\nwa-audit = 3\n")
    assert "pyproject.toml, line 2: tool.wa-audit holds a number" in complaint(call("config"), 2)
    assert "exclude each other" in complaint(call("config", "--config", "x", "--no-config"), 2)
    (tmp_path / "wa-audit.toml").write_bytes(b"\xff\xfe")
    assert complaint(call("config"), 2) == "wa-audit.toml: not UTF-8 text"
    (tmp_path / "wa-audit.toml").write_text("a = " + "[" * 100_000)
    assert "wa-audit.toml: not TOML: nested too deeply" in complaint(call("config"), 2)
    (tmp_path / "wa-audit.toml").write_text("#" * 1_000_001)
    assert "that is no configuration" in complaint(call("config"), 2)


def test_a_strangers_configuration_is_refused(
    call: Call,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It could name a folder of checks, which are programs."""
    (tmp_path / "wa-audit.toml").write_text("[options]\nworkers = 3\n")
    if os.getuid() == 0:
        os.chown(tmp_path / "wa-audit.toml", 12345, -1)
    else:
        own = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert "belongs to another user" in complaint(call("config"), 2)
    assert in_force(call, "--config", "wa-audit.toml")["options.workers"][0] == 3
    assert in_force(call, "--no-config")["options.workers"][0] == 48


# -- init ------------------------------------------------------------------------------------------


def test_init_changes_nothing_until_it_is_edited(call: Call, tmp_path: Path) -> None:  # noqa: F811
    before = in_force(call)
    assert call("init").out == "wa-audit.toml\n"
    assert in_force(call) == before
    assert "wa-audit.toml: is there already" in complaint(call("init"), 2)


def test_all_that_init_shows_holds(call: Call, tmp_path: Path) -> None:  # noqa: F811
    """With the signs of the comments taken away, each line is one that the program and the schema accept."""
    text = settings.template(BOOK)
    lines = []
    for line in text.splitlines():
        shown = re.sub(r"^# (?=[\w\"-]+ = |\[)", "", line)
        lines.append(shown if "= {}  #" not in shown and '"ID" =' not in shown else f"# {shown}")
    bare = "\n".join(lines)
    plain = tomllib.loads(bare)
    assert set(plain["options"]) == set(flags.SETTINGS)
    assert {"rules", "scoring", "answers"} < set(plain)
    jsonschema.validate(plain, SCHEMA)
    (tmp_path / "all.toml").write_text(bare)
    document = config.named(tmp_path / "all.toml")
    assert set(config.of(document, flags.SETTINGS).options) == set(flags.SETTINGS)
    rulebook.load(configuration=document)


def test_init_in_a_pyproject(call: Call, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "pyproject.toml"
    assert "cannot be read" in complaint(call("init", "--pyproject"), 2)
    path.write_bytes(b"[project]\r\nname = 'x'\r\n")
    path.chmod(0o644)
    assert call("init", "--pyproject").code == 0
    assert path.read_bytes().startswith(b"[project]\r\nname = 'x'\r\n\n# The configuration of wa-audit.")
    assert path.stat().st_mode & 0o777 == 0o644
    assert set(tomllib.loads(path.read_text())["tool"]["wa-audit"]) == {"options", "scoring", "answers"}
    assert "holds a [tool.wa-audit] already" in complaint(call("init", "--pyproject"), 2)


# -- what is printed -------------------------------------------------------------------------------

FULL = """
[options]
region = ["eu-west-1", "eu-central-1"]
min-score = 62.5
strict = true
pipeline = "a \\u001b[31m \\"b\\""
[rules.sqs-dlq-retention]
severity = "low"
params = {least_days = 5}
[rules.sqs-queue-encrypted]
enabled = false
[scoring]
least_coverage = 80
[answers."BP 3.1"]
answer = "not-applicable"
who = "data@example.com"
date = 2026-11-01
[answers.SEC10-BP01]
answer = "yes"
who = "s"
date = 2026-11-01
note = "in the runbook"
"""


def test_what_is_printed_says_the_same(call: Call, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "wa-audit.toml").write_text(FULL)
    jsonschema.validate(json.loads(json.dumps(tomllib.loads(FULL), default=str)), SCHEMA)
    printed = call("config").out
    assert "\x1b" not in printed
    (tmp_path / "again.toml").write_text(printed)
    first = {key: value for key, (value, _) in in_force(call).items()}
    assert {key: value for key, (value, _) in in_force(call, "--config", "again.toml").items()} == first
    assert first['answers."BP 3.1".answer'] == "not-applicable"


@pytest.mark.parametrize(
    "plain",
    [
        {"option": {}},
        {"options": {"fail-on": "hihg"}},
        {"options": {"workers": 0}},
        {"options": {"format": ["pdf"]}},
        {"rules": {"sqs-dlq-retention": {"params": {"least_days": "a"}}}},
        {"rules": {"sqs-dlq-retention": {"params": {"other": 1}}}},
        {"answers": {"SEC10-BP01": {"answer": "yes"}}},
        {"answers": {"SEC10-BP99": {}}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_program_refuses(plain: dict[str, object]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, SCHEMA)


def test_an_unknown_key_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "wa-audit.toml"
    path.write_text("x = 1\n")
    with pytest.raises(ConfigurationError):
        config.of(config.named(path), flags.SETTINGS)


def test_every_command_can_name_its_configuration_or_do_without() -> None:
    def below(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        if isinstance(command, click.Group):
            for child in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), child)
                assert found is not None
                yield from below(found, f"{name} {child}".strip())

    without = [
        name
        for name, command in below(cli.cli, "")
        if any(isinstance(each, flags.Setting) and each.key in flags.SETTINGS for each in command.params)
        and not {"--config", "--no-config"} <= {word for option in command.params for word in option.opts}
    ]
    assert without == []
