"""The command line: every error is one line on stderr and the right exit code, and every gate holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.core import ParameterSource

from tests.rules.cases import ACCOUNT, REGION, deny, resource
from wa_audit import cli, flags, rulebook
from wa_audit import inventory as inventories
from wa_audit.inventory import Inventory, Run
from wa_audit.report import audit as audits

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": REGION}
ONE_RULE = ("--rule", "sqs-queue-encrypted")


class Done(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Runs the program in this process, in an empty folder, with these arguments and this environment."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path, **environment: str) -> Done:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["wa-audit", *map(str, arguments)])
            for name, value in environment.items():
                patch.setenv(name, value)
            code = cli._run()
        return Done(code, *capsys.readouterr())

    return call


def complaint(done: Done, code: int) -> str:
    """The one line that the program ended with."""
    assert done.code == code, done.err
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("wa-audit: ")
    assert "Traceback" not in line
    return line.removeprefix("wa-audit: ")


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Two queues, of which one is encrypted."""
    return save(tmp_path / "inventory.jsonl", unread=0)


def save(path: Path, *, unread: int) -> Path:
    run = Run(account=ACCOUNT, regions=(REGION,), finished="2026-11-01T12:00:00Z")
    queues = [
        resource("AWS::SQS::Queue", {"name": name, "data": {"SqsManagedSseEnabled": closed}}, run)
        for name, closed in (("open", False), ("closed", True))
    ]
    more = [resource("AWS::SQS::Queue", {"name": f"unread{n}"}, run) for n in range(unread)]
    deny("sqs:GetQueueAttributes", more)
    inventories.write(Inventory(run, [*queues, *more]), path)
    return path


# -- usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scann"], "No such command 'scann'"),
        (["scan", "--fail-onn", "high"], "No such option '--fail-onn'"),
        (["scan", "--fail-on", "hihg"], "'hihg' is not one of 'critical', 'high'"),
        (["scan", "--severity", "hihg"], "'hihg' is not one of 'critical', 'high'"),
        (["scan", "--format", "pdf"], "'pdf' is not one of 'json', 'html', 'csv'"),
        (["scan", "--min-score", "101"], "101.0 is not in the range 0<=x<=100"),
        (["scan", "--min-score", "nan"], "is not a number"),
        (["scan", "--workers", "0"], "0 is not in the range"),
        (["scan", "--pillar", "securty"], "unknown pillar 'securty'; did you mean 'security'?"),
        (["scan", "--rule", "sqs-queue-encryptd"], "did you mean 'sqs-queue-encrypted'?"),
        (["scan", "--rules", "nothing.yaml"], "nothing.yaml: cannot be read: No such file or directory"),
        (["scan", "--tag", "team"], "'team' is not KEY=VALUE"),
        (["scan", "--tag", "=data"], "'=data' is not KEY=VALUE"),
        (["rules", "show"], "Missing argument 'RULE'"),
        (["rules", "show", "sqs-queue-encryptd"], "did you mean 'sqs-queue-encrypted'?"),
        (["assess"], "Missing argument 'INVENTORY'"),
        (["assess", "nothing.jsonl"], "nothing.jsonl: cannot be read: No such file or directory"),
        (["assess", "."], ".: cannot be read: Is a directory"),
        (["report", "nothing.json"], "nothing.json: cannot be read: No such file or directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage(call: Call, arguments: list[str], words: str) -> None:
    assert words in complaint(call(*arguments), 2)


def test_no_command_is_help(call: Call) -> None:
    done = call()
    assert done.code == 2
    assert done.out.startswith("Usage: wa-audit ")


# -- the way to AWS --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["scan", "collect"])
def test_no_credentials(call: Call, command: str) -> None:
    assert "no AWS credentials: name a profile" in complaint(call(command, AWS_REGION=REGION), 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--region", "eu-wst-1"], "unknown region 'eu-wst-1'; did you mean 'eu-west-1'?"),
        (
            ["--region", "eu west", "--endpoint-url", "http://127.0.0.1:1"],
            "region_name 'eu west' doesn't match",
        ),
        (["--region", REGION, "--all-regions"], "--region and --all-regions exclude each other"),
        (["--external-id", "x"], "--external-id goes with --role-arn"),
        (["--role-arn", "auditor"], "'auditor' is not a role's ARN"),
        (["--endpoint-url", "localhost:4566"], "'localhost:4566' is not a URL"),
        (["--endpoint-url", "http://"], "'http://' is not a URL"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_connection_that_is_wrong(call: Call, arguments: list[str], words: str) -> None:
    assert words in complaint(call("scan", *arguments, **KEYS), 2)


def test_an_endpoint_that_nobody_answers_at(call: Call) -> None:
    line = complaint(call("scan", "--endpoint-url", "http://127.0.0.1:1", **KEYS), 2)
    assert line.startswith("AWS cannot be reached: ")
    assert line.endswith("; is --endpoint-url right?")


def test_no_region(call: Call) -> None:
    without = {name: value for name, value in KEYS.items() if name != "AWS_REGION"}
    assert complaint(call("scan", **without), 2).startswith("no region: name one with --region")


def test_profiles(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile production]\nregion = eu-west-1\n")
    line = complaint(call("scan", "--profile", "prodution", AWS_CONFIG_FILE=str(config)), 2)
    assert line == "unknown AWS profile 'prodution'; did you mean 'production'?"
    assert complaint(call("scan", AWS_CONFIG_FILE=str(config), AWS_PROFILE="prodution"), 2) == line
    config.write_text("[profile production\n")
    assert "AWS configuration: Unable to parse config file" in complaint(
        call("scan", AWS_CONFIG_FILE=str(config)), 2
    )


# -- files -----------------------------------------------------------------------------------------


def test_an_inventory_that_is_damaged(call: Call, inventory: Path) -> None:
    whole = inventory.read_bytes()
    lines = whole.splitlines(keepends=True)
    for damaged, words in (
        (
            b"".join(lines[:-1]),
            "promises 2 resources and 0 gaps, the file holds 1 and 0",
        ),
        (whole[:-40], "line 3: "),
        (whole.replace(b'"version":1', b'"version":2'), "inventory version 2, this program reads version 1"),
        (b"", "line 1: not an inventory"),
        (b"\x80\x81\n", "line 1: not an inventory"),
        (b'{"format":"other"}\n', "line 1: not an inventory"),
        (whole.replace(b'"version":1', b'"version":1,"run":3'), "line 1: "),
    ):
        inventory.write_bytes(damaged)
        line = complaint(call("assess", inventory), 2)
        assert line.startswith(str(inventory))
        assert words in line


def test_an_audit_that_is_damaged(call: Call, inventory: Path, tmp_path: Path) -> None:
    assert call("assess", inventory, *ONE_RULE, "--format", "json").code == 0
    path = tmp_path / "audit.json"
    whole = path.read_bytes()
    for damaged, words in (
        (whole[:-40], "not JSON, or cut off"),
        (b"", "not JSON, or cut off"),
        (
            whole.replace(f'"version": "{audits.VERSION}"'.encode(), b'"version": "2.0"'),
            f"version 2.0, this program reads {audits.VERSION}",
        ),
        (b"[]", "not an audit; 'wa-audit scan' writes audit.json"),
        (b'{"format": "sarif"}', "not an audit"),
        (whole.replace(b'"findings"', b'"finding"'), "missing required field `findings`"),
    ):
        path.write_bytes(damaged)
        line = complaint(call("report", path, "--format", "csv"), 2)
        assert line.startswith(str(path))
        assert words in line
        assert not (tmp_path / "findings.csv").exists()


def test_output_that_cannot_be_written(call: Call, inventory: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "results"
    in_the_way.write_text("a year's work")
    assert call("assess", inventory, *ONE_RULE, "--format", "json", "--output", tmp_path).code == 0
    audit = tmp_path / "audit.json"
    for command in (
        ["assess", inventory, *ONE_RULE, "--format", "json", "--output", in_the_way],
        ["report", audit, "--format", "csv", "--output", in_the_way],
        ["report", audit, "--format", "csv", "--output", "/proc/results"],
        ["scan", "--output", in_the_way],
        ["collect", "--output", in_the_way / "inventory.jsonl"],
        ["collect", "--output", tmp_path],
    ):
        assert "cannot be written: " in complaint(call(*command, **KEYS), 6)
    assert in_the_way.read_text() == "a year's work"


def test_a_report_that_breaks_leaves_the_old_one(
    call: Call, inventory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wa_audit.report import audit as audits

    assert call("assess", inventory, *ONE_RULE, "--format", "json").code == 0
    before = (tmp_path / "audit.json").read_bytes()

    def half(audit: Any) -> Iterator[bytes]:
        yield b"{"
        raise RuntimeError("half way")

    monkeypatch.setattr(audits, "render", half)
    assert complaint(call("assess", inventory, *ONE_RULE, "--format", "json"), 3) == (
        "internal error: RuntimeError: half way; run with -v for its trace"
    )
    assert (tmp_path / "audit.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.json", "inventory.jsonl"]


# -- gates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unread", "gates", "code", "words"),
    [
        (0, [], 0, ""),
        (0, ["--fail-on", "high"], 0, ""),
        (0, ["--fail-on", "medium"], 1, "findings that fail at medium or worse: 1 (--fail-on)"),
        (0, ["--fail-on", "info"], 1, "findings that fail at info or worse: 1 (--fail-on)"),
        (0, ["--min-score", "50"], 0, ""),
        (0, ["--min-score", "50.1"], 1, "the score is 50.0, --min-score is 50.1"),
        (0, ["--strict"], 0, ""),
        (1, [], 0, ""),
        (1, ["--strict"], 4, "findings that could not be evaluated: 1 (--strict)"),
        (1, ["--strict", "--fail-on", "medium"], 1, "findings that fail at medium or worse: 1 (--fail-on)"),
        (9, ["--min-score", "0"], 1, "no score could be given, --min-score is 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_gates(call: Call, tmp_path: Path, unread: int, gates: list[str], code: int, words: str) -> None:
    path = save(tmp_path / "inventory.jsonl", unread=unread)
    done = call("assess", path, *ONE_RULE, "--format", "json", *gates)
    assert (done.code, done.err) == (code, f"wa-audit: {words}\n" if words else "")
    # The results are there, whatever the gates say of them.
    assert done.out.endswith("\nWrote audit.json\n")
    assert (tmp_path / "audit.json").is_file()


# -- the environment -------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its path, `rules show`."""

    def walk(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield " ".join(path), command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                yield from walk((*path, name), child)

    yield from walk((), cli.cli)


def options() -> list[Any]:
    return [
        pytest.param(command, option, id=f"{path} {option.opts[0]}".strip())
        for path, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and option.name not in ("help", "version")
    ]


SAMPLES = {
    "regions": "eu-west-1 us-east-1",
    "severities": "low high",
    "formats": "json csv",
    "tags": "a=b c=d",
    "since": "2026-10-01",
}


@pytest.mark.parametrize(("command", "option"), options())
def test_every_option_has_an_environment_variable(
    command: click.Command, option: click.Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = max(option.opts, key=len)
    variable = "WA_AUDIT_" + long.removeprefix("--").replace("-", "_").upper()
    assert variable in (option.envvar or ())
    first = option.type.choices[0] if isinstance(option.type, click.Choice) else "1"
    sample = SAMPLES.get(str(option.name), first)
    monkeypatch.setenv(variable, sample)
    context = click.Context(command)
    value, source = option.consume_value(context, {})
    assert source is ParameterSource.ENVIRONMENT
    converted = option.type_cast_value(context, value)
    if option.multiple:
        assert len(converted) == len(sample.split())
    else:
        assert converted is not None


def test_the_environment_is_heeded(call: Call, inventory: Path) -> None:
    environment = {"WA_AUDIT_RULE": "sqs-queue-encrypted", "WA_AUDIT_FORMAT": "json csv"}
    done = call("assess", inventory, WA_AUDIT_FAIL_ON="medium", **environment)
    assert done.code == 1
    assert done.out.endswith("\nWrote audit.json, findings.csv\n")
    assert call("assess", inventory, "--fail-on", "high", WA_AUDIT_FAIL_ON="medium", **environment).code == 0


def test_an_endpoint_in_the_environment(call: Call) -> None:
    for name in ("WA_AUDIT_ENDPOINT_URL", "AWS_ENDPOINT_URL"):
        assert "'nowhere' is not a URL" in complaint(call("scan", **KEYS, **{name: "nowhere"}), 2)


# -- what it says of itself ------------------------------------------------------------------------


@pytest.mark.parametrize("path", [(), ("scan",), ("assess",), ("collect",), ("demo",)], ids=" ".join)
def test_help_names_the_exit_codes(call: Call, path: tuple[str, ...]) -> None:
    done = call(*path, "--help")
    assert (done.code, done.err) == (0, "")
    codes = dict(re.findall(r"^ +(\d+)  +(\S.+)$", done.out, re.MULTILINE))
    assert list(codes) == ["0", "1", "2", "3", "4", "5", "6", "130"]
    assert "WA_AUDIT_FAIL_ON" in done.out


def test_every_command_and_option_has_help() -> None:
    for path, command in commands():
        assert command.help, path
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{path} {option.name}"


def test_the_choices_are_the_models() -> None:
    """flags.py spells them out, so that --help needs no model."""
    from wa_audit.model import Pillar, Severity
    from wa_audit.report import FORMATS

    assert tuple(Pillar) == flags.PILLARS
    assert tuple(Severity) == flags.SEVERITIES
    assert tuple(FORMATS) == flags.FORMATS


def test_the_policy_of_one_rule(call: Call) -> None:
    done = call("iam-policy", *ONE_RULE)
    assert done.code == 0
    assert '"sqs:GetQueueAttributes"' in done.out
    assert "s3:" not in done.out


def test_the_whole_policy_is_no_larger_than_iam_allows(call: Call) -> None:
    """A managed policy holds 6,144 characters, white space not counted."""
    assert len(re.sub(r"\s", "", call("iam-policy").out)) <= 6144


# -- interruptions and pipes -----------------------------------------------------------------------


def test_an_interruption(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rulebook, "load", interrupt)
    done = call("rules")
    assert done.code == 130
    assert done.err.strip() == "wa-audit: interrupted; nothing was written"


def test_an_internal_error_hides_no_control_bytes(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**options: Any) -> None:
        raise LookupError("\x1b[2Jgone\nand more")

    monkeypatch.setattr(rulebook, "load", fail)
    assert complaint(call("rules"), 3) == (
        r"internal error: LookupError: \x1b[2Jgone; run with -v for its trace"
    )


def program(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """The program as a shell runs it."""
    settings["env"] = {**os.environ, **settings.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "wa_audit", *arguments], text=True, check=False, timeout=60, **settings
    )


def test_a_whole_process_ends_with_the_codes_too(tmp_path: Path) -> None:
    done = program("scan", "--output", str(tmp_path), env={"AWS_REGION": REGION}, capture_output=True)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.count("\n") == 1
    done = program("scan", "--no-such", capture_output=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_reader_that_goes_away() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = program("rules", "--json", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_behind_stdout() -> None:
    with Path("/dev/full").open("w") as full:
        done = program("rules", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 6
    assert done.stderr == "wa-audit: output could not be written: No space left on device\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    done = program(env={"_WA_AUDIT_COMPLETE": f"{shell}_source"}, capture_output=True)
    assert done.returncode == 0
    assert "_WA_AUDIT_COMPLETE" in done.stdout


def test_rules_are_completed() -> None:
    words = {"COMP_WORDS": "wa-audit rules show sqs-queue-enc", "COMP_CWORD": "3"}
    done = program(env={"_WA_AUDIT_COMPLETE": "bash_complete", **words}, capture_output=True)
    assert done.stdout == "plain,sqs-queue-encrypted\n"
