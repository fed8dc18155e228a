"""wa-audit and Prowler on one emulated account: what each says of each resource, and who is right.

    python -m benchmarks.compare [--from FOLDER]

Serves the demo account from this process on 127.0.0.1, lets both programs audit it, one after the other, and
writes docs/compare.md and benchmarks/results/compare.json. Both read the same answers, without what `wa-audit
demo` corrects in the emulator's, so that neither has an advantage. Prowler is taken from the environment
variable PROWLER, or from .venv-prowler, which `make bench-peer` sets up. `--from` reads the two outputs that
an earlier run left in a folder (benchmarks/results/compare) instead of making them.

Exit codes: 0; 1 where a disagreement has no argument, or an argument no disagreement; 2 where something that
it needs is missing or malformed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import comparison, comparison_table, emulated
from wa_audit import rulebook
from wa_audit.files import write_atomically
from wa_audit.model import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]
TOPICS = ROOT / "benchmarks" / "compare_topics.yaml"
ARGUMENTS = ROOT / "benchmarks" / "compare_arguments.yaml"
TABLE = ROOT / "docs" / "compare.md"
RESULTS = ROOT / "benchmarks" / "results"
OUTPUTS = ("audit.json", "prowler.ocsf.json")
REGION = "eu-west-1"
# Prowler reads its 600 metadata files before it begins; on a busy machine it has taken five minutes.
MOST_SECONDS = 1200


@contextmanager
def account() -> Iterator[dict[str, str]]:
    """The demo account on a port of 127.0.0.1, and the environment of a program that finds it there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean = kept | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with patch.dict(os.environ, clean, clear=True):
        # Moto hooks into botocore when it is imported, so it comes before any session.
        import moto.iam.models
        from moto.core.config import default_user_config
        from moto.iam.aws_managed_policies import aws_managed_policies_data
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from wa_audit.demo_account.corrections import managed_policies

        policies = managed_policies(aws_managed_policies_data)
        with (
            patch.object(moto.iam.models, "aws_managed_policies_data", policies),
            patch.dict(default_user_config, {"iam": {"load_aws_managed_policies": True}}),
        ):
            application = emulated.Gateway(DomainDispatcherApplication(create_backend_app))
            with emulated.serving(application) as endpoint:
                # S3 Control puts the account into the host's name, which only a proxy can resolve here.
                there = {"AWS_ENDPOINT_URL": endpoint, "HTTP_PROXY": endpoint, "http_proxy": endpoint}
                with patch.dict(os.environ, there):
                    _fill(endpoint)
                yield clean | there


def _fill(endpoint: str) -> None:
    import boto3

    from wa_audit import demo_account

    session = boto3.session.Session(region_name=REGION)
    for refusal in demo_account.seed(session, REGION, endpoint):
        print(f"  the emulator refused {refusal.operation}: {refusal.code}")


def regions() -> tuple[str, str]:
    from wa_audit.demo_account import SECOND_REGION

    return REGION, SECOND_REGION


def audit(environment: dict[str, str], folder: Path) -> None:
    """wa-audit's audit.json."""
    where = [word for region in regions() for word in ("--region", region)]
    options = ["--no-progress", "--no-metrics", "--format", "json", "--output", str(folder)]
    program = [sys.executable, "-m", "wa_audit", "scan", *options, *where]
    _run("wa-audit", program, environment | {"PYTHONPATH": str(ROOT)}, folder)


def peer(program: str, checks: Sequence[str], environment: dict[str, str], folder: Path) -> None:
    """Prowler's prowler.ocsf.json: the checks that the topics name."""
    options = [
        "--output-formats",
        "json-ocsf",
        "--output-directory",
        str(folder),
        "--output-filename",
        "prowler",
    ]
    # What nothing uses is judged too, as wa-audit does.
    quiet = ["--no-banner", "--ignore-exit-code-3", "--scan-unused-services"]
    words = [program, "aws", *quiet, *options, "--region", *regions(), "--checks", *checks]
    _run("Prowler", words, environment, folder)


def _run(name: str, program: Sequence[str], environment: dict[str, str], folder: Path) -> None:
    log = folder / f"{name}.log"
    with log.open("wb") as told:
        try:
            done = subprocess.run(
                program,
                env=environment,
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=MOST_SECONDS,
                check=False,
                cwd=folder,
            )
        except OSError as error:
            raise ConfigurationError(f"{name} cannot be started: {error}") from None
        except subprocess.TimeoutExpired:
            raise ConfigurationError(f"{name} did not end within {MOST_SECONDS} s; see {log}") from None
    if done.returncode:
        raise ConfigurationError(f"{name} ended with {done.returncode}; see {log}")


def installed() -> str:
    """Prowler's program. Raises ConfigurationError where there is none."""
    local = ROOT / ".venv-prowler" / "bin" / "prowler"
    program = os.environ.get("PROWLER") or str(local)
    if not Path(program).is_file():
        raise ConfigurationError(f"{program} is not there: make bench-peer installs Prowler, or set PROWLER")
    return program


def read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigurationError(f"{path}: not JSON: {error}") from None


def run(folder: Path, *, again: bool) -> comparison.Comparison:
    """The comparison; where `again`, after both programs have audited the account anew."""
    rules = [rule.id for rule in rulebook.load().rules]
    same, _ = comparison.topics(TOPICS, rules)
    why = comparison.arguments(ARGUMENTS, rules)
    if again:
        program = installed()
        folder.mkdir(parents=True, exist_ok=True)
        for name in OUTPUTS:
            # Prowler appends to what it finds.
            (folder / name).unlink(missing_ok=True)
        with account() as environment:
            audit(environment, folder)
            peer(program, sorted({check for topic in same for check in topic.checks}), environment, folder)
    audited, peered = (read(folder / name) for name in OUTPUTS)
    one, other = comparison.ours(audited), comparison.theirs(peered)
    return comparison.compare(comparison.pairs(same, one, other), why)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="compare what lies there")
    asked = parser.parse_args(words)
    try:
        found = run(asked.folder or RESULTS / "compare", again=asked.folder is None)
        rules = [rule.id for rule in rulebook.load().rules]
        _, apart = comparison.topics(TOPICS, rules)
    except ConfigurationError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    write_atomically(RESULTS / "compare.json", [comparison_table.document(found)])
    write_atomically(TABLE, [comparison_table.markdown(found, apart)])
    TABLE.chmod(0o644)
    print(comparison_table.summary(found))
    for pair in found.unargued:
        print(f"  no argument: {comparison_table.line(pair)}")
    for argument in found.idle:
        print(f"  idle argument: {argument.rule}, {argument.ours} against {argument.theirs}")
    return 1 if found.unargued or found.idle else 0


if __name__ == "__main__":
    sys.exit(main())
