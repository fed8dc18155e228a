"""A run that failed is seen to have failed."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    buckets,
    check,
    failed,
    firehose,
    lakes,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    states,
    tables,
    times,
)

_HAND_OFF = ("async", "fire-and-forget", "fire and forget", "hand-off", "handoff", "hand off")
_GB = 1024**3
_FAILURES = ("FailedActions", "TimeoutActions", "ErroredActions")


@check("AWS::StepFunctions::StateMachine")
def sfn_sync_integration(machine: Resource) -> Verdict:
    """Passes where every Task that starts a job, query, step or execution learns how it ended.

    That is by the .sync or .waitForTaskToken pattern, or by a loop of Wait, Choice and a Task that asks for
    the status; a loop passes, and its state transitions cost money. Concerns glue:startJobRun,
    elasticmapreduce:addStep, emr-serverless:startJobRun, ecs:runTask, athena:startQueryExecution,
    states:startExecution and the Redshift Data API, by the optimised or the SDK integration. An intended
    hand-off is exempt: a state whose name or comment says async, fire-and-forget or hand-off, or a machine
    tagged wa-audit:integration=async.
    """
    starting = [
        task
        for task in states.tasks(machine["definition"])
        if states.starts_work(task) and not any(word in task.remarks for word in _HAND_OFF)
    ]
    if not starting:
        return not_applicable("starts no work that goes on by itself")
    loose = [task for task in starting if not states.integration(task).waits]
    forgotten = [task for task in loose if not states.polled(task)]
    if not forgotten:
        if loose:
            names = ", ".join(task.path for task in loose)
            return passed(f"learns how its work ended, by loops that cost state transitions ({names})")
        return passed("waits for all the work that it starts", tasks=len(starting))
    if machine.tags.get("wa-audit:integration") == "async":
        return not_applicable("is tagged as an asynchronous hand-off")
    first = states.integration(forgotten[0])
    return failed(
        f"starts {first.service}:{first.action} in {forgotten[0].path} and does not wait for its end",
        Resource=forgotten[0].body.get("Resource"),
        states=[task.path for task in forgotten[:10]],
    )


@check("AWS::Glue::Workflow")
def glue_workflow_last_run(workflow: Resource) -> Verdict:
    """Passes where the workflow's last run completed and none of its actions failed, errored or timed out.

    Glue reports a run as COMPLETED even where jobs in it failed, so its statistics decide. Says nothing about
    workflows that never ran, and about a last run that is still going on or was stopped.
    """
    run = workflow["LastRun"]
    if not run:
        return not_applicable("has not run")
    status, statistics = run.get("Status"), run.get("Statistics") or {}
    if status == "ERROR":
        return failed("ended its last run in error", Status=status, StartedOn=run.get("StartedOn"))
    if status != "COMPLETED":
        return not_applicable(f"has a last run that is {str(status).lower()}", Status=status)
    counts = {name: statistics[name] for name in _FAILURES if statistics.get(name)}
    if counts:
        total = sum(counts.values())
        return failed(
            f"completed its last run although {total} of its actions failed", Status=status, **counts
        )
    return passed("completed its last run without a failed action", Status=status)


@check("AWS::Lambda::Function")
def lambda_error_rate(
    function: Resource, *, most_percent: float, warn_percent: float, least_invocations: int
) -> Verdict:
    """Passes where no more than `warn_percent` of a function's invocations ended in an error.

    More is a low finding up to `most_percent`, and a whole one beyond. Says nothing under
    `least_invocations`. Items that a function reports as failed within a batch (ReportBatchItemFailures) are
    no errors here; they show in the dead-letter queue.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    ran = function.total("Invocations")
    broke = function.total("Errors")
    if ran < least_invocations:
        return not_applicable(f"ran {ran:,.0f} times, too seldom to say")
    share = 100 * broke / ran
    if share > most_percent:
        words = f"fails in {share:.1f} % of its runs, {most_percent:g} % are accepted"
        return failed(words, Invocations=ran, Errors=broke)
    if share > warn_percent:
        words = f"fails in {share:.1f} % of its runs, {warn_percent:g} % are usual"
        return failed(words, severity="low", Invocations=ran, Errors=broke)
    return passed(f"fails in {share:.1f} % of its runs", Invocations=ran, Errors=broke)


@check("AWS::Kinesis::Stream")
def kinesis_consumer_lag(stream: Resource, *, most_percent: float, warn_percent: float) -> Verdict:
    """Passes where the slowest reader was never behind by more than `warn_percent` of the retention.

    More is a low finding up to `most_percent`, and a whole one beyond: past the retention records are gone
    before they are read. Readers with enhanced fan-out are not in this metric.
    https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
    """
    age = stream.metric("GetRecords.IteratorAgeMilliseconds") or {}
    if not age.get("Datapoints"):
        return not_applicable("was read by nobody through GetRecords")
    hours, kept = age["Maximum"] / 3_600_000, stream["RetentionPeriodHours"]
    evidence = {"IteratorAgeHours": round(hours, 1), "RetentionPeriodHours": kept}
    share, words = 100 * hours / kept, f"was read {hours:.1f} hours late, and keeps records for {kept}"
    if share > warn_percent:
        return failed(words, severity=None if share > most_percent else "low", **evidence)
    return passed(f"was read {hours:.1f} hours late at most", **evidence)


@check("AWS::Glue::Job")
def glue_job_failure_rate(
    job: Resource, inventory: Inventory, *, days: int, most_percent: int, least_runs: int
) -> Verdict:
    """The last run of a job ended well, and of at least `least_runs` in `days` days no more than a fifth
    (`most_percent`) failed.

    FAILED, TIMEOUT, ERROR and EXPIRED are failures; STOPPED, which somebody meant, is none. A run that was
    tried again (PreviousRunId) counts once, as its last attempt ended.
    https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
    """
    runs = job["JobRuns"] or []
    retried = {run["PreviousRunId"] for run in runs if run.get("PreviousRunId")}
    ended = [run for run in runs if run.get("JobRunState") in _ENDED and run.get("Id") not in retried]
    recent = [
        run for run in ended if times.hours_between(run["StartedOn"], inventory.run.started) <= 24 * days
    ]
    if not recent:
        return not_applicable(f"has not ended a run in {days} days")

    newest = max(recent, key=lambda run: run["StartedOn"])
    bad = [run for run in recent if run["JobRunState"] != "SUCCEEDED"]
    evidence = {"runs": len(recent), "failed": len(bad), "JobRunState": newest["JobRunState"]}
    if newest in bad:
        return failed(f"last ended as {newest['JobRunState']}", StartedOn=newest["StartedOn"], **evidence)
    if len(recent) >= least_runs and 100 * len(bad) > most_percent * len(recent):
        return failed(f"failed in {len(bad)} of {len(recent)} runs, more than {most_percent} %", **evidence)
    return passed(f"failed in {len(bad)} of {len(recent)} runs", **evidence)


_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED")


@check("AWS::DataSync::Task")
def datasync_task_last_execution(task: Resource) -> Verdict:
    """The task can run, its schedule is on, and its last execution did not end in an error.

    Fails where the task is UNAVAILABLE, where DataSync itself has switched its schedule off
    (ScheduleDetails.DisabledBy SERVICE), and where the last execution has Status ERROR or an ErrorCode.
    https://docs.aws.amazon.com/datasync/latest/userguide/API_DescribeTaskExecution.html
    """
    if task["Status"] == "UNAVAILABLE":
        return failed("cannot run: it is UNAVAILABLE", Status="UNAVAILABLE", ErrorCode=task["ErrorCode"])
    details = task["ScheduleDetails"] or {}
    if details.get("Status") == "DISABLED" and details.get("DisabledBy") == "SERVICE":
        return failed("has a schedule that DataSync switched off", ScheduleDetails=details)
    last = task["LastExecution"]
    if not last:
        return not_applicable("has not run")

    code = (last.get("Result") or {}).get("ErrorCode")
    evidence = {"Status": last.get("Status"), "StartTime": last.get("StartTime"), "ErrorCode": code}
    if last.get("Status") == "ERROR" or code:
        return failed(f"last ended in an error{f', {code}' if code else ''}", **evidence)
    return passed("had no error when it last ran", **evidence)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_delivery_success(
    stream: Resource, inventory: Inventory, *, least_percent: float, most_intervals: int
) -> Verdict:
    """A stream delivers what it takes in: `least_percent` of it at the first try, and in time.

    Looks at DeliveryTo….Success and DeliveryTo….DataFreshness of the stream's destination, and at
    ThrottledRecords, over the time that metrics were read of (--metrics-days). In time is within
    `most_intervals` times the buffer interval. A stream that took in nothing is not judged; one that did, and
    of which CloudWatch has no delivery, is not evaluated.
    https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html
    """
    if not stream.total("IncomingRecords") and not stream.total("IncomingBytes"):
        return not_applicable("took in nothing")
    success, freshness = (_of_delivery(stream, name) for name in ("Success", "DataFreshness"))
    if not success or not success.get("Datapoints"):
        return not_evaluated("took in records, and CloudWatch says nothing of their delivery")

    percent = 100 * success["Sum"] / success["Datapoints"]
    refused = (stream.metric("ThrottledRecords") or {}).get("Sum", 0)
    seconds = (freshness or {}).get("Maximum", 0)
    interval = firehose.buffer_seconds(stream["Destinations"])
    evidence = {"success_percent": round(percent, 2), "DataFreshness": seconds, "ThrottledRecords": refused}
    if percent < least_percent:
        return failed(
            f"delivered {percent:.1f} % at the first try, less than {least_percent:g} %", **evidence
        )
    if refused:
        return failed(f"refused {refused:,.0f} records, above what it may take in", **evidence)
    if interval and seconds > most_intervals * interval:
        return failed(
            f"delivered {seconds:,.0f} s late, more than {most_intervals} times its buffer interval, "
            f"{interval} s",
            **evidence,
        )
    return passed(f"delivered {percent:.1f} % at the first try", **evidence)


def _of_delivery(stream: Resource, name: str) -> dict[str, Any] | None:
    """A metric of the stream's delivery, by whatever its destination is called."""
    for key in sorted(stream["Metrics"] or {}):
        if key.startswith("DeliveryTo") and key.endswith(f".{name}"):
            return stream.metric(key)
    return None


@check("AWS::S3::Bucket")
def s3_bucket_catalogued(
    bucket: Resource, inventory: Inventory, *, least_gb: float, other_names: str
) -> Verdict:
    """Passes where a table of the Data Catalog, or a location of Lake Formation, lies in a lake's bucket.

    Judged where a Firehose stream, a DataSync task or an IoT rule delivers into the bucket, or a Glue job's
    or EMR cluster's role may write to it by name, and it holds more than `least_gb` GB. Where the catalog of
    the bucket's Region is shared with other accounts, the tables may be theirs; and where Lake Formation has
    administrators there, and the audit ran as none of them, it may not have been shown all: nothing is
    claimed then. Says nothing about buckets for logs, results and temporary files, and those with a word of
    `other_names` in their name.
    https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html
    """
    if not neighbours.loaders(bucket, inventory):
        return not_applicable("is filled by no stream, task, rule, job or cluster")
    if inventory.has_source(bucket, "lies-in"):
        return passed("has tables in the Glue Data Catalog")
    if inventory.has_source(bucket, "governs"):
        return passed("is registered with Lake Formation")
    if inventory.has_source(bucket, "scratches-in") or inventory.has_source(bucket, "logs-to"):
        return not_applicable("holds what services write for themselves: results, temporary files or logs")
    if tables.is_named_after(other_names, bucket.name):
        return not_applicable("holds no data of a lake, by its name")
    gigabytes = buckets.size_in_bytes(bucket) / _GB
    if gigabytes <= least_gb:
        return not_applicable(f"holds {gigabytes:.1f} GB, not more than {least_gb:g}")
    if reason := lakes.hidden_tables(inventory, bucket.region):
        return not_evaluated(f"has no table here, and {reason}", gigabytes=gigabytes)
    return failed(f"holds {gigabytes:,.0f} GB that no table describes", gigabytes=gigabytes)
