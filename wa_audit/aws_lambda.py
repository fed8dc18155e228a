"""The scheduled run: an AWS Lambda function that audits its account and leaves the reports in a bucket.

`handler` is what Lambda calls. It goes through the stages of `wa-audit scan`: the same reading behind the
same guard, the same judging, the same bytes. What it writes, it writes under the bucket's prefix:

    audits/account_id=…/audit_date=…/RUN/audit.json, report.html     every run; RUN is when it began
    latest/account_id=…/audit.json, report.html                      the latest run that came to its end
    findings/…, runs/…                                               the history, see `report.history`
    continuations/account_id=…/RUN.jsonl                             what a run that ran out of time has read

With a minute left a run stops reading, writes what it has, marked as incomplete, and hands its journal on to
another invocation, which ends in the bytes of one long run. Metrics go to the log in CloudWatch's embedded
format, notices to SNS and EventBridge where something got worse. The log holds figures: no finding, and no
secret.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from wa_audit import collect as collecting
from wa_audit import invocation
from wa_audit.model import ConfigurationError, OutputError, Severity, Status

if TYPE_CHECKING:
    from wa_audit.report.audit import Audit
    from wa_audit.report.diff import Diff
    from wa_audit.stores import Bucket

# How many invocations one run may take: a run that never ends is a mistake, and costs money.
MOST_INVOCATIONS = 15


class Settings(invocation.Reads, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one invocation is to do; fields come from event and environment, see `invocation.settings`.

    regions, all_regions, role_arn, external_id: as wa-audit's flags of these names.
    formats: the reports to write, `json` always among them; `history`: whether each run is kept as a table.
    topic, event_bus: whom to tell where a failure of `notify` or worse is new or has become worse; an ARN of
        an SNS topic, and a name or an ARN of an event bus.
    namespace: of the metrics in CloudWatch.
    continuation, invocation: what a run before this one has left, set by wa-audit itself.
    hand_on: whether to invoke the function again where time ran out; false where whoever invokes it does so.
    """

    regions: tuple[str, ...] = ()
    all_regions: bool = False
    role_arn: str = ""
    external_id: str = ""
    formats: tuple[str, ...] = ("json", "html")
    history: bool = True
    topic: str = ""
    event_bus: str = ""
    notify: Severity = Severity.MEDIUM
    namespace: str = "wa-audit"
    continuation: str = ""
    invocation: int = 1
    hand_on: bool = True


@invocation.told
def handler(event: Any, context: invocation.Context) -> dict[str, Any]:
    """Lambda's entry point; says what came of the run, in figures.

    Raises:
        WaAuditError: the run could not be made. Lambda counts it as an error of the function.
    """
    return _run(invocation.settings(Settings, event, os.environ), context)


def _run(settings: Settings, context: invocation.Context) -> dict[str, Any]:
    from wa_audit import publishing, wiring
    from wa_audit import report as reports

    formats = tuple(dict.fromkeys(("json", *settings.formats)))
    reports.check((*formats, *(("parquet",) if settings.history else ())))
    book, plan = invocation.prepared(settings)
    session, regions = wiring.connect(
        regions=settings.regions,
        all_regions=settings.all_regions,
        workers=settings.workers,
        profile=None,
        role_arn=settings.role_arn or None,
        external_id=settings.external_id or None,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
    )
    place = invocation.place(settings)
    with tempfile.TemporaryDirectory(prefix="wa-audit-") as folder:
        journal = Path(folder) / "journal.jsonl"
        if settings.continuation:
            ((_, left),) = place.read([settings.continuation])
            journal.write_bytes(left)

        try:
            inventory = collecting.collect(
                session,
                plan,
                regions,
                workers=settings.workers,
                metrics_days=settings.metrics_days,
                journal=journal,
                resume=bool(settings.continuation),
                on_wait=invocation.until_time_is_out(context),
            )
        except collecting.Interrupted as stopped:
            inventory = stopped.inventory
        audit = wiring.assess(inventory, book, wiring.Judging.of_everything())
        del inventory  # the reports are made of the audit alone
        if settings.history and audit.run.complete:
            audit = wiring.beside(audit, place)
        written = _write(audit, formats, place)
        for line in publishing.metrics(audit, settings.namespace):
            invocation.line(line)
        if not audit.run.complete:
            return _go_on(settings, context, place, audit, journal.read_bytes(), written)
    return _finish(settings, place, audit, written)


def _write(audit: Audit, formats: tuple[str, ...], place: Bucket) -> dict[str, bytes]:
    """Writes the reports to the run's own folder; their bytes by file name."""
    from wa_audit.report import FORMATS, render

    files = {FORMATS[name].file: b"".join(render(audit, name)) for name in formats}
    for name, content in files.items():
        place.write(f"{_folder(audit)}/{name}", [content], over=True)
    return files


def _folder(audit: Audit) -> str:
    began = audit.run.started
    run = began.replace("-", "").replace(":", "")
    return f"audits/account_id={audit.run.account}/audit_date={began[:10]}/{run}"


def _go_on(
    settings: Settings,
    context: invocation.Context,
    place: Bucket,
    audit: Audit,
    journal: bytes,
    written: Mapping[str, bytes],
) -> dict[str, Any]:
    """Keeps what has been read, and hands it to another invocation."""
    from wa_audit import publishing

    if settings.invocation >= MOST_INVOCATIONS:
        raise OutputError(
            f"the run has not come to its end in {MOST_INVOCATIONS} invocations; "
            "name fewer regions, or more memory"
        )
    run = _folder(audit).rpartition("/")[2]
    token = f"continuations/account_id={audit.run.account}/{run}.jsonl"
    place.write(token, [journal], over=True)
    following = {"continuation": token, "invocation": settings.invocation + 1}
    if settings.hand_on:
        asked = {
            name: value
            for name, value in msgspec.to_builtins(settings).items()
            if value != msgspec.to_builtins(_DEFAULTS)[name]
        }
        publishing.invoke(context.invoked_function_arn, asked | following)
    return _told(audit, "partial", place, written, **following)


def _finish(settings: Settings, place: Bucket, audit: Audit, written: Mapping[str, bytes]) -> dict[str, Any]:
    """Compares with the latest run, takes its place, keeps the run in the history, and gives notice."""
    from wa_audit import publishing
    from wa_audit.report import history
    from wa_audit.report.diff import got_worse

    latest = f"latest/account_id={audit.run.account}"
    change = _change(place, latest, audit)
    for key, chunks in history.files(audit) if settings.history else ():
        place.write(key, chunks)
    for name, content in written.items():
        place.write(f"{latest}/{name}", [content], over=True)
    worse = []
    if change is not None:
        severities = list(Severity)
        worse = got_worse(change, severities[: severities.index(settings.notify) + 1])
        report = f"{place.place}/{_folder(audit)}/report.html"
        if worse and settings.topic:
            publishing.tell_topic(settings.topic, change, worse, report)
        if worse and settings.event_bus:
            publishing.tell_bus(settings.event_bus, change, worse, report)
    return _told(audit, "complete", place, written, worse=len(worse))


def _change(place: Bucket, latest: str, audit: Audit) -> Diff | None:
    """What has changed since the latest run; None where there is none that can be compared.

    Whether it is there is asked of the list, which one may see without seeing all of the bucket: what is not
    there would else be denied.
    """
    from wa_audit.report import audit as audits
    from wa_audit.report import diff

    key = f"{latest}/audit.json"
    if key not in place.keys(latest):
        return None
    ((_, raw),) = place.read([key])
    with tempfile.TemporaryDirectory(prefix="wa-audit-") as folder:
        path = Path(folder) / "audit.json"
        path.write_bytes(raw)
        try:
            return diff.compare(audits.read(path), audit)
        except ConfigurationError:
            invocation.log(status="not_compared", message=f"{key} is no audit of this version")
            return None


def _told(
    audit: Audit, status: str, place: Bucket, written: Mapping[str, bytes], **more: Any
) -> dict[str, Any]:
    figures = {
        "status": status,
        "account": audit.run.account,
        "score": audit.overall.score,
        "coverage": audit.overall.coverage,
        "failing": audit.overall.counts.get(Status.FAIL, 0),
        "calls": audit.run.calls,
        "reports": [f"{place.place}/{_folder(audit)}/{name}" for name in written],
        **more,
    }
    invocation.log(**figures)
    return figures


_DEFAULTS = Settings(bucket="")
