"""Fills an emulated AWS with the real AWS CLI, audits it, and holds the audit against what was put in.

    python -m tests.emulators.run moto ministack

Each emulator is a server on loopback of its own, started here and ended here. The audit knows nothing but
an endpoint and a profile.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# It pins a botocore of its own, and so lives in an environment of its own, which `make setup` makes.
MINISTACK = Path(os.environ.get("MINISTACK") or ROOT / ".venv-ministack" / "bin" / "ministack")
PROFILE = "acme-auditor"
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
def running(name: str, **settings: str) -> Iterator[Emulator]:
    """One emulator on a free port, for as long as the context lasts; `settings` go into its environment."""
    beside = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix=f"wa-audit-{name}-") as folder:
        port = _free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WA_AUDIT_"))}
        if name == "moto":
            command = [beside / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
            extra = {}
        else:
            command = [MINISTACK]
            # Its default address is 0.0.0.0.
            extra = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": folder}
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
                _wait_for(f"http://127.0.0.1:{port}/", server, Path(folder) / "server.log")
                yield Emulator(name, _client(environment, port, Path(folder)), Path(folder))
            finally:
                _end(server)


def _client(environment: dict[str, str], port: int, folder: Path) -> dict[str, str]:
    (folder / "config").write_text(f"[profile {PROFILE}]\nregion = {REGION}\noutput = json\n")
    (folder / "credentials").write_text(
        f"[{PROFILE}]\naws_access_key_id = testing\naws_secret_access_key = testing\n"
    )
    return environment | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_PROFILE": PROFILE,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_PAGER": "",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}: {log.read_text()[-2000:]}")
        try:
            urlopen(url, timeout=2).close()
        except HTTPError:
            return  # it answers, if only to say that this is no call
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not answer within {START} s: {log.read_text()[-2000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ends the server and what it started: they are a process group of their own."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)


# -- filling it --------------------------------------------------------------------------------------


def fill(emulator: Emulator, stages: list[list[dict[str, Any]]]) -> None:
    """Every call of the AWS CLI, two at a time.

    Raises:
        RuntimeError: a call failed; says which, and what the CLI said.
    """
    names = {
        "account": _aws(emulator, "sts get-caller-identity", query="Account"),
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
    return _aws(emulator, _named(step["call"], names), *extra, query=step.get("query", ""))


def _named(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _aws(emulator: Emulator, call: str, *extra: str, query: str = "") -> str:
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


# -- auditing it -------------------------------------------------------------------------------------


def audit(emulator: Emulator) -> dict[str, Any]:
    """What `wa-audit scan` says of the account, after it was checked against the published schema.

    Raises:
        AssertionError: the program did not end with 0, or its result is not what the schema promises.
    """
    from jsonschema import Draft202012Validator

    from wa_audit.report import audit as document

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "wa_audit",
            "scan",
            "--output",
            str(emulator.folder),
            "--format",
            "json",
            "--no-progress",
        ],
        env=emulator.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=AUDIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((emulator.folder / "audit.json").read_text())
    Draft202012Validator(json.loads(document.schema())).validate(found)
    return found


def problems(found: dict[str, Any], account: dict[str, Any], name: str) -> list[str]:
    """Everything in which an audit differs from what was put into the emulator."""
    return [
        *_wrong_verdicts(found, account["expect"], account["unimplemented"][name]),
        *_wrong_gaps(found, account["unimplemented"][name]),
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
    unread = {gap["operation"] for gap in found["gaps"]}
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


def run(name: str) -> list[str]:
    """The whole of it for one emulator: what is wrong, or nothing."""
    account = yaml.safe_load((HERE / "account.yaml").read_text())
    with running(name) as emulator:
        fill(emulator, account["stages"])
        return problems(audit(emulator), account, name)


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
