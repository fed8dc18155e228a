"""Scheduled work runs when it should, and ends well."""

from collections.abc import Mapping
from typing import Any

from wa_audit.rule import (
    NOT_PRODUCTION,
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    not_applicable,
    not_evaluated,
    passed,
    schedules,
    tables,
    times,
)


@check("AWS::Glue::Crawler")
def glue_crawler_last_run(crawler: Resource, inventory: Inventory, *, most_missed: int) -> Verdict:
    """Passes where the crawler's last crawl ended well and its schedule is kept.

    Fails where the last crawl is FAILED or CANCELLED. Fails too where the schedule is SCHEDULED and came due
    more often than it may be missed (most_missed) since the last crawl started, or since the crawler was made
    if it never ran; a crawl that runs at this moment is not overdue. A crawler that runs on demand and never
    ran is not judged.
    """
    last = crawler["LastCrawl"] or {}
    if last.get("Status") in ("FAILED", "CANCELLED"):
        return failed(
            f"last ended as {last['Status']}", Status=last["Status"], StartTime=last.get("StartTime")
        )

    schedule = crawler["Schedule"] or {}
    if schedule.get("State") != "SCHEDULED":
        if not last:
            return not_applicable("runs on demand and has never run")
        return passed(f"last ended as {last.get('Status')}", Status=last.get("Status"))

    expression = schedule["ScheduleExpression"]
    since = last.get("StartTime") or crawler["CreationTime"]
    if since is None or crawler["State"] == "RUNNING":
        return passed("is running" if since else "has not come due yet", ScheduleExpression=expression)
    missed = schedules.fires_between(expression, since, inventory.run.finished)
    if missed is None:
        return not_evaluated(f"has a schedule that is not understood: {expression}")
    if missed >= most_missed:
        return failed(
            f"came due {missed} times since it last ran"
            if last
            else f"came due {missed} times and never ran",
            ScheduleExpression=expression,
            StartTime=last.get("StartTime"),
        )
    return passed("keeps its schedule", ScheduleExpression=expression, StartTime=last.get("StartTime"))


@check("AWS::Glue::Trigger")
def glue_trigger_activated(trigger: Resource) -> Verdict:
    """Passes where a trigger that should fire by itself is switched on.

    One that was made without StartOnCreation stays CREATED, and no data comes. A trigger that is tagged
    wa-audit:paused is off on purpose.
    """
    if trigger["Type"] == "ON_DEMAND":
        return not_applicable("fires on demand", Type="ON_DEMAND")
    if trigger["State"] not in ("CREATED", "DEACTIVATED"):
        return passed(f"is {trigger['State']}", State=trigger["State"])
    if "wa-audit:paused" in trigger.tags:
        return not_applicable("is tagged wa-audit:paused")
    return failed(f"is {trigger['State']}, and never fires", State=trigger["State"])


@check("AWS::Glue::Job")
def glue_job_orchestrated(job: Resource, inventory: Inventory) -> Verdict:
    """Passes where something starts the job: a trigger, a state machine, a rule or a schedule.

    A job that only people start is forgotten on the day that they are away. Jobs that are tagged as of
    development or test, or wa-audit:on-demand, are not judged, nor are streaming jobs, which run on. Airflow
    and programs of one's own nobody can see.
    """
    if activity.is_streaming(job["Command"]):
        return not_applicable("is a streaming job, which runs on once it was started")
    for kind in ("triggers", "starts"):
        if inventory.has_source(job, kind):
            return passed("is started by itself", by=sorted(r.source for r in inventory.sources(job, kind)))
    if job.tags.get("environment") in NOT_PRODUCTION:
        return not_applicable(f"is of environment {job.tags['environment']}")
    if "wa-audit:on-demand" in job.tags:
        return not_applicable("is tagged wa-audit:on-demand")
    return failed("is started by nothing that was found")


@check("AWS::Glue::Table")
def glue_data_quality_ruleset(
    table: Resource, inventory: Inventory, *, raw_words: str, checked_elsewhere: list[str]
) -> Verdict:
    """A curated table's data is checked: a ruleset is for it, or Data Quality has given a result for it.

    A ruleset names the table as its TargetTable; results of 30 days count, a job's among them. Says nothing
    of databases whose name says that their data is raw (`raw_words`), of databases in `checked_elsewhere`,
    and of views and resource links.
    https://docs.aws.amazon.com/glue/latest/dg/glue-data-quality.html
    """
    database = table["DatabaseName"]
    if table["TableType"] == "VIRTUAL_VIEW" or table["TargetTable"]:
        return not_applicable("holds no data of its own")
    if tables.is_named_after(raw_words, database):
        return not_applicable("holds raw data, as its database's name says")
    if database in checked_elsewhere:
        return not_applicable("is checked by another tool, as the parameter checked_elsewhere says")
    named, region = (database, table.name), table.region
    for ruleset in inventory.having("AWS::Glue::DataQualityRuleset", _meant, named, region=region):
        return passed(f"is checked by the ruleset {ruleset.name}", ruleset=ruleset.name)
    for result in inventory.having("AWS::Glue::DataQualityResult", _seen, named, region=region):
        return passed("was checked within 30 days", StartedOn=result["StartedOn"])
    return failed("is checked by no Data Quality ruleset", TableName=table.name)


def _meant(ruleset: Resource) -> tuple[str | None, str | None]:
    return _table(ruleset["TargetTable"])


def _seen(result: Resource) -> tuple[str | None, str | None]:
    return _table(result["GlueTable"])


def _table(named: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """The database and the name of what Data Quality calls a table."""
    return (named or {}).get("DatabaseName"), (named or {}).get("TableName")


@check("AWS::QuickSight::DataSet")
def quicksight_ingestion_healthy(data_set: Resource, inventory: Inventory, *, most_periods: float) -> Verdict:
    """The last refresh of a data set in SPICE that ended was completed, and its schedule has been kept.

    FAILED and CANCELLED fail. A schedule is kept where the last refresh is no older than `most_periods` times
    what lies between two that the schedule wants, from when it starts. Says nothing of data sets that query
    their source directly, and of those that have not been loaded and have not come due.
    https://docs.aws.amazon.com/quicksight/latest/APIReference/API_Ingestion.html
    """
    if data_set["ImportMode"] != "SPICE":
        return not_applicable("queries its source directly", ImportMode=data_set["ImportMode"])
    ended = [row for row in data_set["Ingestions"] or () if row.get("IngestionStatus") in _ENDED]
    last: dict[str, Any] = max(ended, key=lambda row: str(row["CreatedTime"]), default={})
    evidence = {name: last.get(name) for name in ("IngestionStatus", "ErrorType", "CreatedTime")}
    if last and last["IngestionStatus"] != "COMPLETED":
        why = f", {last['ErrorType']}" if last.get("ErrorType") else ""
        return failed(f"was last refreshed in vain: {last['IngestionStatus']}{why}", **evidence)

    since = last.get("CreatedTime") or data_set["CreatedTime"]
    for row in data_set["RefreshSchedules"] or ():
        often, start = (row.get("ScheduleFrequency") or {}).get("Interval"), row.get("StartAfterDateTime")
        if often not in _REFRESH_HOURS:
            return not_evaluated(f"has a schedule that is not understood: {often}", Interval=often)
        begun = [time for time in (since, start) if time]
        hours = min((times.hours_between(time, inventory.run.finished) for time in begun), default=0)
        if hours > most_periods * _REFRESH_HOURS[often]:
            words = f"was last refreshed {hours:,.0f} hours ago" if last else "was never refreshed"
            return failed(f"{words}, and is to be {often}", Interval=often, **evidence)
    if not last:
        return not_applicable("has not been loaded, and has not come due")
    return passed("was refreshed when it was last to be", **evidence)


_ENDED = ("COMPLETED", "FAILED", "CANCELLED")
# A month is its longest.
_REFRESH_HOURS = {"MINUTE15": 0.25, "MINUTE30": 0.5, "HOURLY": 1, "DAILY": 24, "WEEKLY": 168, "MONTHLY": 744}
