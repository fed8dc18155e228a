"""Programs of others that serve on loopback: a free port, Lambda's runtime, and how they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# Lambda's runtime interface emulator and its Python client, which `make setup` puts there.
RUNTIME = ROOT / ".venv-lambda"
EMULATOR = RUNTIME / "samcli" / "local" / "rapid" / "aws-lambda-rie-x86_64"


class Served(NamedTuple):
    """Where a function is invoked, and the emulator's process."""

    url: str
    process: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def end(server: subprocess.Popen[bytes]) -> None:
    """Ends the server and what it started: they are a process group of their own."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)


@contextmanager
def function(
    code: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
) -> Iterator[Served]:
    """The scheduled run behind Lambda's runtime interface emulator, started in a folder, until the block
    ends. `code` is where its modules are."""
    port, api = free_port(), free_port()
    command = [
        str(EMULATOR),
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{port}",
        "--runtime-api-address",
        f"127.0.0.1:{api}",
        sys.executable,
        "-S",
        "-m",
        "awslambdaric",
        "wa_audit.aws_lambda.handler",
    ]
    own = {
        "PYTHONPATH": os.pathsep.join([*code, str(RUNTIME)]),
        "AWS_LAMBDA_FUNCTION_NAME": "wa-audit",
        **environment,
        # The emulator itself is reached without a proxy.
        "NO_PROXY": f"127.0.0.1:{api}",
    }
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, env=own, cwd=folder, stdout=told, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
            yield Served(url, process.pid)
        finally:
            end(process)
