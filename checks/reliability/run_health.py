"""A run that failed is seen to have failed."""

from wa_audit.rule import Resource, Verdict, check, failed, not_applicable, passed, states

_HAND_OFF = ("async", "fire-and-forget", "fire and forget", "hand-off", "handoff", "hand off")
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
def lambda_error_rate(function: Resource, *, most_percent: float, least_invocations: int) -> Verdict:
    """Passes where no more than `most_percent` of a function's invocations ended in an error.

    Says nothing under `least_invocations`. Items that a function reports as failed within a batch
    (ReportBatchItemFailures) are no errors here; they show in the dead-letter queue.
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
    return passed(f"fails in {share:.1f} % of its runs", Invocations=ran, Errors=broke)


@check("AWS::Kinesis::Stream")
def kinesis_consumer_lag(stream: Resource, *, most_percent: float) -> Verdict:
    """Passes where the slowest reader was never behind by more than `most_percent` of the retention.

    Beyond the retention the records are gone before they are read.
    https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
    """
    age = stream.metric("GetRecords.IteratorAgeMilliseconds") or {}
    if not age.get("Datapoints"):
        return not_applicable("was read by nobody through GetRecords")
    hours, kept = age["Maximum"] / 3_600_000, stream["RetentionPeriodHours"]
    evidence = {"IteratorAgeHours": round(hours, 1), "RetentionPeriodHours": kept}
    if 100 * hours / kept > most_percent:
        return failed(f"was read {hours:.1f} hours late, and keeps records for {kept}", **evidence)
    return passed(f"was read {hours:.1f} hours late at most", **evidence)
