"""How long `wa-audit org merge` takes, and how much memory: 200 accounts of 50,000 findings each.

python benchmarks/merging.py [ACCOUNTS [FINDINGS]]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import msgspec

from wa_audit.model import Pillar, Severity
from wa_audit.organization import outcomes
from wa_audit.organization.outcomes import Outcome, RuleFacts, State
from wa_audit.report import flat
from wa_audit.report.audit import OverallScore

RUN, RULES = "20261126T060000Z", 150
VALUES = {
    "finding_id": "md5(i::VARCHAR)",
    "rule": f"'rule_' || i % {RULES}",
    "severity": "'high'",
    "status": "CASE WHEN i % 7 = 0 THEN 'fail' ELSE 'pass' END",
    "resource_arn": "'arn:aws:s3:::bucket-' || i",
}


def main() -> None:
    accounts, findings = (*map(int, sys.argv[1:3]), *(200, 50_000)[len(sys.argv[1:3]) :])
    with tempfile.TemporaryDirectory() as folder:
        for number in range(accounts):
            _write(Path(folder), f"{number:012}", findings)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "wa_audit", "org", "merge", folder], check=True)
        wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{accounts} accounts of {findings} findings: {wall:.1f} s, ", end="")
    print(f"{used.ru_utime + used.ru_stime:.1f} s of CPU, {used.ru_maxrss / 1024:.0f} MB at most")


def _write(folder: Path, account: str, findings: int) -> None:
    outcome = Outcome(
        run=RUN,
        account=account,
        name="",
        unit="Root",
        regions=("eu-west-1",),
        state=State.AUDITED,
        digest="d",
        pillar_weights=dict.fromkeys(Pillar, 1.0),
        rules={
            f"rule_{n}": RuleFacts(
                pillar=Pillar.SECURITY, theme="theme", severity=Severity.HIGH, title="A rule"
            )
            for n in range(RULES)
        },
        overall=OverallScore(
            score=None,
            coverage=None,
            high_risk=0,
            medium_risk=0,
            counts={"fail": -(-findings // 7), "pass": findings - -(-findings // 7)},
        ),
    )
    path = folder / f"shards/run={RUN}/account_id={account}/findings.parquet"
    path.parent.mkdir(parents=True)
    columns = ", ".join(f"{VALUES.get(name, repr(name))} AS {name}" for name in flat.COLUMNS)
    said = msgspec.json.encode(outcome).decode()
    duckdb.sql(
        f"COPY (SELECT {columns} FROM range({findings}) x(i)) TO '{path}' "
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{'{outcomes.KEY}': '{said}'}})"
    )


if __name__ == "__main__":
    main()
