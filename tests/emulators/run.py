"""Fills an emulated AWS with the real AWS CLI, audits it, and holds the audit against what was put in.

    python -m tests.emulators.run moto ministack

Each emulator is a server on loopback of its own, started here and ended here. The audit knows nothing but
an endpoint and a profile.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import yaml

from benchmarks import servers
from wa_audit import inventory
from wa_audit.model import Reason

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# It pins a botocore of its own, and so lives in an environment of its own, which `make setup` makes.
MINISTACK = Path(os.environ.get("MINISTACK") or ROOT / ".venv-ministack" / "bin" / "ministack")
PROFILE = "acme-auditor"
KEY = "testing"
REGION = "eu-west-1"
# What the loopback servers and the audit may take, in seconds.
START, CALL, AUDIT = 60, 60, 180


@dataclass(frozen=True)
class Emulator:
    """A running server: where it answers, and the environment of a client that knows it by a profile."""

    name: str
    environment: dict[str, str]
    folder: Path


@contextmanager
def running(name: str, *, strict: bool = False, **settings: str) -> Iterator[Emulator]:
    """One emulator on a free port, for as long as the context lasts; `settings` go into its environment.

    Where it is `strict`, which ministack alone can be, it speaks TLS, its profile is the account's root, and
    whoever else asks may do what their policies and the resources' own say.
    """
    beside = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix=f"wa-audit-{name}-") as folder:
        port = servers.free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WA_AUDIT_"))}
        if name == "moto":
            command = [beside / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
            extra = {}
        else:
            command = [MINISTACK]
            # Its default address is 0.0.0.0.
            extra = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": folder}
            if strict:
                extra |= {"AUTH": "true", "AWS_ACCESS_KEY_ID": KEY, "USE_SSL": "1"}
        with (Path(folder) / "server.log").open("w") as log:
            server = subprocess.Popen(
                [str(part) for part in command],
                env=environment | extra | settings,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                authority = Path(folder) / "ministack-tls" / "server.crt" if strict else None
                address = f"{'https' if strict else 'http'}://127.0.0.1:{port}"
                _wait_for(address, authority, server, Path(folder) / "server.log")
                yield Emulator(name, _client(environment, address, authority, Path(folder)), Path(folder))
            finally:
                servers.end(server)


def _client(
    environment: dict[str, str], address: str, authority: Path | None, folder: Path
) -> dict[str, str]:
    (folder / "config").write_text(f"[profile {PROFILE}]\nregion = {REGION}\noutput = json\n")
    _remember(folder, PROFILE, KEY, KEY)
    return environment | {
        "AWS_ENDPOINT_URL": address,
        "AWS_PROFILE": PROFILE,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_PAGER": "",
        **({"AWS_CA_BUNDLE": str(authority)} if authority else {}),
    }


def _remember(folder: Path, profile: str, key: str, secret: str) -> None:
    with (folder / "credentials").open("a") as file:
        file.write(f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")


def _wait_for(url: str, authority: Path | None, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}: {log.read_text()[-2000:]}")
        try:
            trusted = ssl.create_default_context(cafile=str(authority)) if authority else None
            urlopen(url, timeout=2, context=trusted).close()
        except HTTPError:
            return  # it answers, if only to say that this is no call
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not answer within {START} s: {log.read_text()[-2000:]}")


# -- filling it --------------------------------------------------------------------------------------


def fill(emulator: Emulator, stages: list[list[dict[str, Any]]]) -> None:
    """Every call of the AWS CLI, two at a time.

    Raises:
        RuntimeError: a call failed; says which, and what the CLI said.
    """
    names = {
        "account": aws(emulator, "sts get-caller-identity", query="Account"),
        "zip": str(_package(emulator.folder)),
    }
    with ThreadPoolExecutor(2) as pool:
        for stage in stages:
            outputs = pool.map(partial(_step, emulator, names), stage)
            names |= {step["keep"]: out for step, out in zip(stage, outputs, strict=True) if "keep" in step}


def _step(emulator: Emulator, names: dict[str, str], step: dict[str, Any]) -> str:
    extra = []
    for option, value in step.get("json", {}).items():
        extra += [f"--{option}", _named(json.dumps(value), names)]
    return aws(emulator, _named(step["call"], names), *extra, query=step.get("query", ""))


def _named(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def aws(emulator: Emulator, call: str, *extra: str, query: str = "") -> str:
    """What the AWS CLI prints, or the field `query` of it.

    Raises:
        RuntimeError: the call failed; says what the CLI said.
    """
    # The CLI gives SQS and EMR older host names of their own, which outrank AWS_ENDPOINT_URL.
    where = ["--endpoint-url", emulator.environment["AWS_ENDPOINT_URL"]]
    shape = ["--query", query, "--output", "text"] if query else []
    done = subprocess.run(
        [sys.executable, "-m", "awscli", *shlex.split(call), *extra, *where, *shape],
        env=emulator.environment,
        capture_output=True,
        text=True,
        timeout=CALL,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{emulator.name}: aws {call}: {done.stderr.strip()}")
    return done.stdout.strip()


def _package(folder: Path) -> Path:
    path = folder / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return {}\n")
    return path


def user(emulator: Emulator, name: str, policies: list[dict[str, Any]]) -> Emulator:
    """The emulator as a new user of the account sees it, who has these policies and nothing else."""
    aws(emulator, f"iam create-user --user-name {name}")
    for number, policy in enumerate(policies):
        call = f"iam create-policy --policy-name {name}-{number} --policy-document"
        arn = aws(emulator, call, json.dumps(policy), query="Policy.Arn")
        aws(emulator, f"iam attach-user-policy --user-name {name} --policy-arn {arn}")
    made = aws(
        emulator, f"iam create-access-key --user-name {name}", query="AccessKey.[AccessKeyId,SecretAccessKey]"
    )
    folder = emulator.folder / name
    folder.mkdir()
    _remember(emulator.folder, name, *made.split())
    with (emulator.folder / "config").open("a") as file:
        file.write(f"[profile {name}]\nregion = {REGION}\noutput = json\n")
    return replace(emulator, environment=emulator.environment | {"AWS_PROFILE": name}, folder=folder)


# -- auditing it -------------------------------------------------------------------------------------


def audit(emulator: Emulator) -> dict[str, Any]:
    """What `wa-audit scan` says of the account, after it was checked against the published schema.

    Raises:
        AssertionError: the program did not end with 0, or its result is not what the schema promises.
    """
    from jsonschema import Draft202012Validator

    from wa_audit.report import audit as document

    program(emulator, "scan", "--output", str(emulator.folder), "--format", "json", "--no-progress")
    found: dict[str, Any] = json.loads((emulator.folder / "audit.json").read_text())
    Draft202012Validator(json.loads(document.schema())).validate(found)
    return found


def program(emulator: Emulator, *arguments: str) -> str:
    """What a command of wa-audit prints.

    Raises:
        AssertionError: it did not end with 0.
    """
    done = subprocess.run(
        [sys.executable, "-m", "wa_audit", *arguments],
        env=emulator.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=AUDIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def problems(found: dict[str, Any], account: dict[str, Any], unread: dict[str, Any]) -> list[str]:
    """Everything in which an audit differs from what was put into the emulator, where these are unread."""
    return [
        *_wrong_verdicts(found, account["expect"], unread),
        *_wrong_gaps(found, unread),
        *(f"{f['rule']} broke on {f['resource']}" for f in found["findings"] if f["status"] == "error"),
    ]


def _wrong_verdicts(
    found: dict[str, Any], expected: dict[str, dict[str, str]], unimplemented: dict[str, Any]
) -> Iterator[str]:
    """A verdict is the expected one, or is missing because the emulator lacks what it hangs on."""
    for rule, resources in expected.items():
        for name, status in resources.items():
            rows = _findings(found, rule, name)
            said = [row["status"] for row in rows]
            lacking = {found["gaps"][row["gap"]]["operation"] for row in rows if "gap" in row}
            excused = said == ["not_evaluated"] and lacking <= set(unimplemented)
            if said != [status] and not excused:
                why = rows[0]["message"] if rows else "no finding"
                yield f"{rule} on {name}: expected {status}, found {said}: {why}"


def _wrong_gaps(found: dict[str, Any], unimplemented: dict[str, dict[str, str]]) -> Iterator[str]:
    """An operation that is not implemented costs a finding its verdict, and nothing else may be unread."""
    # Cost Explorer is not asked without --cost, nor is a cluster without --redshift-sql.
    unread = {gap["operation"] for gap in found["gaps"] if gap["reason"] != "not_collected"}
    for operation in sorted(unread ^ set(unimplemented)):
        yield f"{operation}: {'unread' if operation in unread else 'read'} against expectation"
    for operation, findings in unimplemented.items():
        for rule, name in findings.items():
            rows = _findings(found, rule, name)
            told = [found["gaps"][row["gap"]]["operation"] for row in rows if "gap" in row]
            if [row["status"] for row in rows] != ["not_evaluated"] * max(
                1, len(rows)
            ) or operation not in told:
                yield f"{rule} on {name} does not say that {operation} was not read: {rows}"
    for row in found["findings"]:
        if "gap" in row and row["status"] != "not_evaluated":
            yield f"{row['rule']} on {row['resource']} lacks a reading and says {row['status']}"


def _findings(found: dict[str, Any], rule: str, name: str) -> list[dict[str, Any]]:
    return [
        row
        for row in found["findings"]
        if row["rule"] == rule and found["resources"][row["resource"]]["name"] == name
    ]


# -- the policy that an audit needs ------------------------------------------------------------------


def auditor(emulator: Emulator) -> Emulator:
    """A user of a strict emulator who holds what `wa-audit iam-policy` prints, and nothing else."""
    printed = json.loads(program(emulator, "iam-policy"))
    return user(emulator, "auditor", printed if isinstance(printed, list) else [printed])


def refusals(emulator: Emulator, calls: list[str]) -> dict[str, str]:
    """What the AWS CLI says of each call, in which {endpoint} is the emulator's; empty where it worked."""
    said = dict.fromkeys(calls, "")
    for call in calls:
        try:
            aws(emulator, _named(call, {"endpoint": emulator.environment["AWS_ENDPOINT_URL"]}))
        except RuntimeError as error:
            said[call] = str(error)
    return said


def misnamed(emulator: Emulator) -> dict[str, str]:
    """Of every list that is denied to a user without any policy: the action that the emulator names, by
    operation, where it is not the one that wa-audit names."""
    nobody = user(emulator, "nobody", [])
    file = nobody.folder / "nothing.jsonl"
    program(nobody, "collect", "--no-progress", "--output", str(file))
    found = inventory.read(file)
    denied = [gap for gap in found.gaps if gap.reason is Reason.ACCESS_DENIED]
    assert denied
    # Ministack asks no permission for the settings of Lambda.
    assert found.types == [inventory.ACCOUNT_TYPE, "AWS::Lambda::AccountSettings"]
    told = {gap.operation: (gap.action, _ACTION.search(gap.message)) for gap in denied}
    return {
        operation: named[1] if named else ""
        for operation, (action, named) in told.items()
        if not named or named[1] != action
    }


_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")


@contextmanager
def filled(name: str, account: dict[str, Any]) -> Iterator[Emulator]:
    """A running emulator with the account in it; ministack is strict."""
    with running(name, strict=name == "ministack") as emulator:
        fill(emulator, account["stages"])
        yield emulator


def read_account() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / "account.yaml").read_text())
    return found


def run(name: str) -> list[str]:
    """The whole of it for one emulator: what is wrong, or nothing."""
    account = read_account()
    with filled(name, account) as emulator:
        return problems(audit(emulator), account, account["unimplemented"][name])


def main() -> int:
    wrong = 0
    for name in sys.argv[1:] or ["moto", "ministack"]:
        started = time.monotonic()
        found = run(name)
        wrong += len(found)
        print(f"{name}: {len(found)} problems in {time.monotonic() - started:.0f} s")
        for problem in found:
            print(f"  {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
