"""metrics.txt: scores, coverage and open findings as OpenMetrics, which Prometheus and its kin scrape.

One sample a pillar, a pipeline, and each severity and status within a pillar; none of a resource, whose names
would make a series each. A score that is not known is no sample. Coverage is a ratio from 0 to 1.
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from wa_audit.report.audit import Audit
from wa_audit.text import visible

Labels = Mapping[str, str]


class Family(NamedTuple):
    """One metric: its name, what it says, and its samples."""

    name: str
    help: str
    samples: Iterable[tuple[Labels, float | None]]


def render(audit: Audit) -> Iterator[bytes]:
    """The text exposition, in UTF-8, with its closing `# EOF`."""
    for family in _families(audit):
        yield f"# TYPE {family.name} gauge\n# HELP {family.name} {_escaped(family.help)}\n".encode()
        for labels, value in family.samples:
            if value is not None:
                pairs = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
                yield f"{family.name}{{{pairs}}} {value:.10g}\n".encode()
    yield b"# EOF\n"


def _families(audit: Audit) -> Iterator[Family]:
    account = {"account": audit.run.account}
    pillars = [({**account, "pillar": str(found.pillar)}, found) for found in audit.pillars]
    pipelines = [({**account, "pipeline": found.name}, found) for found in audit.pipelines]
    yield Family("wa_audit_score", "Score of the account, 0 to 100.", [(account, audit.overall.score)])
    yield Family(
        "wa_audit_coverage_ratio",
        "Share of what could be judged that was.",
        [(account, _ratio(audit.overall.coverage))],
    )
    yield Family("wa_audit_pillar_score", "Score by pillar, 0 to 100.", [(to, p.score) for to, p in pillars])
    yield Family(
        "wa_audit_pillar_coverage_ratio",
        "Share of what could be judged that was, by pillar.",
        [(to, _ratio(p.coverage)) for to, p in pillars],
    )
    yield Family(
        "wa_audit_pipeline_score", "Score by pipeline, 0 to 100.", [(to, p.score) for to, p in pipelines]
    )
    yield Family(
        "wa_audit_pipeline_coverage_ratio",
        "Share of what could be judged that was, by pipeline.",
        [(to, _ratio(p.coverage)) for to, p in pipelines],
    )
    yield Family("wa_audit_findings", "Findings by pillar, severity and status.", _counted(audit))
    yield Family("wa_audit_resources", "Resources that were read.", [(account, audit.run.resources)])
    yield Family(
        "wa_audit_complete",
        "1 where the reading came to its end, 0 where it was stopped.",
        [(account, float(audit.run.complete))],
    )
    finished = datetime.datetime.fromisoformat(audit.run.finished).timestamp()
    yield Family("wa_audit_finished_timestamp_seconds", "When the reading ended.", [(account, finished)])


def _counted(audit: Audit) -> Iterator[tuple[Labels, float]]:
    counts = Counter(
        (str(audit.rules[finding.rule].pillar), str(finding.severity), str(finding.status))
        for finding in audit.findings
    )
    for (pillar, severity, status), number in sorted(counts.items()):
        labels = {"account": audit.run.account, "pillar": pillar, "severity": severity, "status": status}
        yield labels, number


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _escaped(text: str) -> str:
    return visible(text).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
