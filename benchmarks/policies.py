"""The policy engine: 1,000 of AWS's managed policies, each asked all that the rules on roles ask of a role's.

    python -m benchmarks.policies

Loading is the import of the engine and its tables. Each run is a process of its own, so that none finds the
caches of another warm, and the median run is told. It is one thread that computes: goals are held against CPU
time, which what else the machine does leaves alone; wall time stands beside it. The table goes to stdout and,
as JSON, to benchmarks/results/.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
POLICIES, RUNS = 1_000, 5
# As iam-role-no-service-wildcard has them by default.
SERVICES = "s3 glue kms dynamodb kinesis sqs redshift lakeformation iam sts ec2 elasticmapreduce".split()
GOALS = (
    ("loading, ms", "loading_ms", 150.0),
    (f"{POLICIES:,} policies, s", "all_s", 1.0),
    ("99th percentile of a policy, ms", "p99_ms", 5.0),
)


def measure() -> dict[str, Any]:
    """One run in this process: figures by their names, CPU time and wall time each."""
    documents = _documents()
    started = _now()
    from wa_audit.aws import actions, escalations, policy

    # The tables are read when an action of theirs is first asked about.
    asked = [f"{service}:*" for service in SERVICES] + [
        a for path in escalations.paths() for a in path.on_all
    ]
    for action in chain(map("{}:*".format, SERVICES), asked, *policy.data_actions().values()):
        actions.reach(action)
    loading = _since(started)
    taken = []
    for name, document in documents:
        started = _now()
        ask(policy.Policies([policy.Policy(name, policy.parse(document))]))
        taken.append(_since(started))
    cpu, wall = (sorted(column) for column in zip(*taken, strict=True))
    return {
        clock: {
            "loading_ms": load * 1e3,
            "all_s": sum(column),
            "p50_ms": column[len(column) // 2] * 1e3,
            "p99_ms": column[len(column) * 99 // 100 - 1] * 1e3,
            "max_ms": column[-1] * 1e3,
        }
        for clock, load, column in (("cpu", loading[0], cpu), ("wall", loading[1], wall))
    }


def ask(policies: Any) -> int:
    """Every question of the rules on roles; the number of what they find."""
    from wa_audit.aws import escalations, policy

    found = len(policy.full_grants(policies, policy.WHAT))
    found += len(policy.first_grants(policies, [f"{service}:*" for service in SERVICES], policy.WHAT))
    found += len(policy.data_grants(policies, policy.WHAT))
    found += len(policy.grants(policies, "iam:PassRole", policy.PASSED_TO))
    return found + len(escalations.openings(policies))


def _documents() -> list[tuple[str, Any]]:
    """The first thousand of AWS's managed policies, by name."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    known = json.loads(aws_managed_policies_data)
    return [(name, known[name]["Document"]) for name in sorted(known)[:POLICIES]]


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    cpu, wall = _now()
    return cpu - started[0], wall - started[1]


def main() -> None:
    code = "import json; from benchmarks.policies import measure; print(json.dumps(measure()))"
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    names = list(runs[0]["cpu"])
    rows = {
        clock: {name: round(statistics.median(run[clock][name] for run in runs), 3) for name in names}
        for clock in ("cpu", "wall")
    }
    print(f"{'Policy engine, median of ' + str(RUNS):<28}" + "".join(f"{name:>12}" for name in names))
    for clock, row in rows.items():
        print(f"{clock + ' time':<28}" + "".join(f"{row[name]:>12.2f}" for name in names))
    told = []
    for words, name, most in GOALS:
        figure = rows["cpu"][name]
        print(f"  {'met ' if figure <= most else 'MISS'} {words}: {figure:.2f} (at most {most:g})")
        told.append({"goal": words, "figure": figure, "most": most, "met": figure <= most})
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {"scenario": "policies", "policies": POLICIES, "rows": rows, "goals": told}
    (RESULTS / "policies.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
