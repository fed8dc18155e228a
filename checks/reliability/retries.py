"""What fails for a moment is tried again, within bounds, and without doing the work twice."""

from collections.abc import Mapping
from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    invocations,
    not_applicable,
    not_evaluated,
    passed,
    patterns,
    states,
)

_BOOKMARK = "--job-bookmark-option"
_BOOKMARK_ON, _BOOKMARK_OFF, _BOOKMARK_PAUSED = (
    "job-bookmark-enable",
    "job-bookmark-disable",
    "job-bookmark-pause",
)
_STREAMING_MAXIMUM = 10_080  # minutes: seven days


# -- Glue ------------------------------------------------------------------------------------------


def _command(job: Resource) -> str:
    return str((job["Command"] or {}).get("Name"))


def _bookmark(arguments: Mapping[str, Any] | None) -> str | None:
    option: str | None = (arguments or {}).get(_BOOKMARK)
    return option


def _own_bookmark(job: Resource) -> str:
    """The job's option, where nothing that starts it says otherwise."""
    return _bookmark(job["NonOverridableArguments"]) or _bookmark(job["DefaultArguments"]) or _BOOKMARK_OFF


@check("AWS::Glue::Job")
def glue_job_bookmark(job: Resource, inventory: Inventory) -> Verdict:
    """Passes where a Spark job runs with its bookmark enabled, whatever starts it.

    The option is that of the non-overridable arguments, else of each trigger that starts the job and is not
    deactivated, else of the default arguments; without one the bookmark is disabled. A paused bookmark is
    mild (low), and a job on Iceberg, Hudi or Delta tables (--datalake-formats) is informational, since it may
    merge or refresh in full. Says nothing about streaming, Python shell and Ray jobs, and about jobs tagged
    wa-audit:bookmark=not-needed. The option alone does not prove that bookmarks work: the script must read
    DynamicFrames with a transformation_ctx, between job.init and job.commit.
    """
    command = _command(job)
    if command != "glueetl":
        return not_applicable(f"is a {command} job, which has no bookmark", Command=command)
    options = {"the job": _own_bookmark(job)}
    if not _bookmark(job["NonOverridableArguments"]):
        options = _trigger_bookmarks(job, inventory) or options
    wrong = {name: option for name, option in options.items() if option != _BOOKMARK_ON}
    if not wrong:
        return passed("runs with its bookmark enabled", options=options)
    if job.tags.get("wa-audit:bookmark") == "not-needed":
        return not_applicable("is tagged as needing no bookmark")
    name, option = min(wrong.items(), key=lambda item: (item[1] == _BOOKMARK_PAUSED, item[0]))
    where = "" if name == "the job" else f" when {name} starts it"
    formats = (job["DefaultArguments"] or {}).get("--datalake-formats")
    if formats:
        message = f"keeps no bookmark{where}, which merges into {formats} tables may not need"
        return failed(message, severity="info", options=wrong)
    if option == _BOOKMARK_PAUSED:
        return failed(f"runs with its bookmark paused{where}", severity="low", options=wrong)
    return failed(f"runs without a bookmark{where}", options=wrong)


def _trigger_bookmarks(job: Resource, inventory: Inventory) -> dict[str, str]:
    """The option of every trigger that starts the job, by the trigger's name."""
    found = {}
    for relation in inventory.sources(job, "triggers"):
        trigger = inventory.get(relation.via)
        if trigger is None or trigger.type != "AWS::Glue::Trigger" or trigger["State"] == "DEACTIVATED":
            continue
        for action in trigger["Actions"] or ():
            if action.get("JobName") == job.name:
                found[trigger.name] = _bookmark(action.get("Arguments")) or _own_bookmark(job)
    return found


@check("AWS::Glue::Job")
def glue_job_bookmark_concurrency(job: Resource) -> Verdict:
    """Passes where a job with a bookmark runs once at a time.

    Runs that overlap race for one bookmark, and read records twice or not at all. Says nothing about jobs
    without an enabled bookmark.
    """
    if _command(job) != "glueetl" or _own_bookmark(job) != _BOOKMARK_ON:
        return not_applicable("has no enabled bookmark")
    most = (job["ExecutionProperty"] or {}).get("MaxConcurrentRuns") or 1
    if most > 1:
        return failed(f"may run {most} times at once on one bookmark", MaxConcurrentRuns=most)
    return passed("runs once at a time on its bookmark", MaxConcurrentRuns=most)


@check("AWS::Glue::Job")
def glue_job_retries(job: Resource, inventory: Inventory, *, most_retries: int) -> Verdict:
    """Passes where a failed job is tried again: by itself, by Step Functions, or by another orchestrator.

    MaxRetries is from 1 to `most_retries`; more is mild (low), as a job that cannot succeed costs as often.
    Without retries of its own, a Step Functions Task that waits for the job (.sync) and retries it,
    or that stands in a Parallel or Map that does, passes, and so does the tag wa-audit:orchestrator
    with any name. Says nothing about streaming jobs. Retries need a job that may write the same twice.
    """
    if _command(job) == "gluestreaming":
        return not_applicable("is a streaming job, which Glue restarts")
    retries = job["MaxRetries"] or 0
    if 1 <= retries <= most_retries:
        return passed(f"is tried again when it fails (MaxRetries {retries})", MaxRetries=retries)
    if retries > most_retries:
        message = f"is tried again {retries} times, more than {most_retries}"
        return failed(message, severity="low", MaxRetries=retries)
    for relation in inventory.sources(job, "starts"):
        machine = inventory.get(relation.source)
        if machine is None:
            continue
        for task in states.tasks_on(machine["definition"], states.Reference("job", job.name)):
            if states.integration(task).pattern == states.SYNC and states.retried(task):
                return passed(f"is tried again by {machine.name}", MaxRetries=0, state=task.path)
    if job.tags.get("wa-audit:orchestrator"):
        return passed(f"is retried by {job.tags['wa-audit:orchestrator']}, as its tag says", MaxRetries=0)
    return failed("is not tried again when it fails", MaxRetries=0)


@check("AWS::Glue::Job")
def glue_job_timeout(job: Resource, *, most_minutes: int) -> Verdict:
    """Passes where a batch job ends by itself within `most_minutes`, and where a streaming job does not.

    A batch job without a timeout has Glue's default: 2,880 minutes up to Glue 4.0, 480 from 5.0. A streaming
    job has none, or the longest (10,080 minutes) with a maintenance window in which it restarts; any other
    simply stops the stream, which is mild (low). Says nothing about Ray jobs.
    """
    command, minutes, window = _command(job), job["Timeout"] or 0, job["MaintenanceWindow"]
    if command == "glueray":
        return not_applicable("is a Ray job")
    if command == "gluestreaming":
        if not minutes or (minutes >= _STREAMING_MAXIMUM and window):
            return passed("streams without an end", Timeout=minutes, MaintenanceWindow=window)
        message = f"stops its stream after {minutes} minutes, with nothing that starts it again"
        return failed(message, severity="low", Timeout=minutes, MaintenanceWindow=window)
    if not minutes:
        default = _default_timeout(job)
        if default is None:
            return not_evaluated("names no timeout and no Glue version that gives the default")
        if default <= most_minutes:
            return passed(f"ends after {default} minutes, Glue's default", Timeout=default)
        return failed(f"sets no timeout: Glue's default is {default} minutes", Timeout=default)
    if minutes <= most_minutes:
        return passed(f"ends after {minutes} minutes at the latest", Timeout=minutes)
    unset = ", the default of old, so that nobody chose it" if minutes == 2880 else ""
    return failed(f"may run for {minutes} minutes, more than {most_minutes}{unset}", Timeout=minutes)


def _default_timeout(job: Resource) -> int | None:
    """Minutes, by Glue version; "auto" is the newest. None where the version says nothing."""
    version = str(job["GlueVersion"] or "")
    major = version.partition(".")[0]
    if version == "auto":
        return 480
    return None if not major.isdecimal() else 480 if int(major) >= 5 else 2880


# -- Lambda event source mappings ------------------------------------------------------------------


def _source(mapping: Resource) -> str:
    return invocations.source(mapping["EventSourceArn"], mapping["SelfManagedEventSource"])


@check("AWS::Lambda::EventSourceMapping")
def lambda_esm_retry_bounded(
    mapping: Resource, inventory: Inventory, *, most_retries: int, most_age_percent: int
) -> Verdict:
    """Passes where a mapping of a Kinesis or DynamoDB stream or of Kafka gives up on a record in time.

    MaximumRetryAttempts is from 0 to `most_retries`, or MaximumRecordAgeInSeconds at most `most_age_percent`
    of the time for which the stream keeps its records (24 hours in a DynamoDB stream). The default, -1 for
    both, retries a record that can never succeed until it expires, and the shard waits behind it; but of
    Kafka Lambda gives up after 10 retries where there is an on-failure destination, and at once where it
    consumes a topic as a queue (ConsumptionMode). How long a Kafka topic keeps records is not read, so there
    an age alone is not evaluated. Says nothing about SQS, Amazon MQ and DocumentDB, and about disabled
    mappings.
    https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
    """
    source = _source(mapping)
    if source not in ("kinesis", "dynamodb", "kafka"):
        return not_applicable("reads no stream")
    if activity.mapping_is_off(mapping["State"]):
        return not_applicable("is disabled")
    retries = _retries(mapping, source)
    age = -1 if mapping["MaximumRecordAgeInSeconds"] is None else mapping["MaximumRecordAgeInSeconds"]
    evidence: dict[str, Any] = {"MaximumRetryAttempts": retries, "MaximumRecordAgeInSeconds": age}
    if 0 <= retries <= most_retries:
        return passed(f"gives up on a record at a MaximumRetryAttempts of {retries}", **evidence)
    how_often = "without end" if retries < 0 else f"{retries} times"
    if age < 0:
        return failed(f"retries a record {how_often}, however old it is", **evidence)
    if source == "kafka":
        return not_evaluated(
            f"gives up on records older than {age} s, of a topic whose retention is unknown", **evidence
        )
    hours = _retention_hours(mapping, inventory)
    if hours is None:
        return not_evaluated("reads a stream that is no longer there", **evidence)
    if age <= hours * 3600 * most_age_percent / 100:
        return passed(f"gives up on records older than {age} s, of {hours} hours", **evidence)
    message = f"retries a record {how_often}, up to an age of {age} s of the {hours} hours that it exists"
    return failed(message, **evidence)


def _retries(mapping: Resource, source: str) -> int:
    """How often a record is tried again; -1 where there is no bound."""
    retries = mapping["MaximumRetryAttempts"]
    if source == "kafka" and retries in (None, -1):
        for kind in ("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"):
            if (mapping[kind] or {}).get("ConsumptionMode") == "Queue":
                return 0
        if ((mapping["DestinationConfig"] or {}).get("OnFailure") or {}).get("Destination"):
            return _KAFKA_RETRIES
    return -1 if retries is None else int(retries)


# What Lambda makes of "without end" where there is an on-failure destination.
_KAFKA_RETRIES = 10


def _retention_hours(mapping: Resource, inventory: Inventory) -> int | None:
    """How long the mapping's stream keeps records; None where the stream is not there."""
    if _source(mapping) == "dynamodb":
        return invocations.DYNAMODB_STREAM_HOURS
    stream = inventory.find("AWS::Kinesis::Stream", invocations.stream_arn(mapping["EventSourceArn"]))
    hours: int | None = stream["RetentionPeriodHours"] if stream else None
    return hours


@check("AWS::Lambda::EventSourceMapping")
def lambda_esm_bisect_or_partial(mapping: Resource) -> Verdict:
    """Passes where a stream's batch that fails is split in two, or the function says how far it came.

    That is BisectBatchOnFunctionError, or ReportBatchItemFailures among the FunctionResponseTypes, on Kinesis
    and DynamoDB streams, and on Kafka where pollers are provisioned, without which it knows neither. Says
    nothing about batches of one record, disabled mappings, and other sources.
    https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
    """
    source = _source(mapping)
    if source not in ("kinesis", "dynamodb", "kafka"):
        return not_applicable("reads no stream")
    if activity.mapping_is_off(mapping["State"]):
        return not_applicable("is disabled")
    if source == "kafka" and not mapping["ProvisionedPollerConfig"]:
        return not_applicable("reads Kafka without provisioned pollers, and can neither split nor report")
    size = mapping["BatchSize"] or 100
    if size == 1:
        return not_applicable("hands over one record at a time")
    if "ReportBatchItemFailures" in (mapping["FunctionResponseTypes"] or ()):
        return passed(
            "reports the record at which a batch failed", FunctionResponseTypes="ReportBatchItemFailures"
        )
    if mapping["BisectBatchOnFunctionError"]:
        return passed("splits a batch that fails", BisectBatchOnFunctionError=True)
    return failed(f"repeats all {size} records of a batch when one fails", BatchSize=size)


@check("AWS::Lambda::EventSourceMapping")
def lambda_esm_sqs_partial_batch(mapping: Resource) -> Verdict:
    """Passes where a queue's mapping lets the function report the messages that failed.

    That is ReportBatchItemFailures among the FunctionResponseTypes; whether the function answers with
    batchItemFailures cannot be seen. Says nothing about batches of one message, disabled mappings, and
    sources other than SQS.
    """
    if _source(mapping) != "sqs":
        return not_applicable("does not read an SQS queue")
    if activity.mapping_is_off(mapping["State"]):
        return not_applicable("is disabled")
    size = mapping["BatchSize"] or 10
    if size == 1:
        return not_applicable("hands over one message at a time")
    if "ReportBatchItemFailures" in (mapping["FunctionResponseTypes"] or ()):
        return passed("returns to the queue only the messages that failed", BatchSize=size)
    return failed(f"returns all {size} messages of a batch to the queue when one fails", BatchSize=size)


# -- SQS -------------------------------------------------------------------------------------------


@check("AWS::SQS::Queue")
def sqs_max_receive_count(
    queue: Resource, inventory: Inventory, *, least: int, most: int, least_for_lambda: int
) -> Verdict:
    """Passes where a message is received from `least` to `most` times before it is given up.

    A queue that feeds a Lambda function needs at least `least_for_lambda`, as AWS advises: a throttled
    invocation counts as a receive. Says nothing about queues without a redrive policy.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    policy = queue["RedrivePolicy"]
    if not policy:
        return not_applicable("has no redrive policy")
    count = int(policy["maxReceiveCount"])
    if count > most:
        return failed(
            f"gives up on a message at a maxReceiveCount of {count}, more than {most}", maxReceiveCount=count
        )
    if count < least:
        return failed(
            f"gives up on a message at a maxReceiveCount of {count}, less than {least}", maxReceiveCount=count
        )
    if count < least_for_lambda and inventory.has_target(queue, "triggers"):
        message = f"feeds a function at a maxReceiveCount of {count}, less than {least_for_lambda}"
        return failed(message, maxReceiveCount=count)
    return passed(f"gives up on a message at a maxReceiveCount of {count}", maxReceiveCount=count)


@check("AWS::SQS::Queue")
def sqs_visibility_timeout(
    queue: Resource, inventory: Inventory, *, times: int, other_consumer_seconds: int
) -> Verdict:
    """Passes where a message stays hidden for as long as its consumer, retries included, may take.

    For every enabled mapping to a Lambda function: `times` the function's timeout, and the batching window on
    top. Less is medium; less than the function's timeout alone is high, for then a second consumer gets the
    message while the first still works. Says nothing about queues that no function consumes, unless
    `other_consumer_seconds` says how long other consumers take (0: unknown).
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    hidden = queue["VisibilityTimeout"]
    needs = _consumers(queue, inventory)
    if not needs:
        if not other_consumer_seconds:
            return not_applicable("feeds no Lambda function")
        if hidden >= other_consumer_seconds:
            return passed(f"hides messages for {hidden} s", VisibilityTimeout=hidden)
        message = f"hides messages for {hidden} s, less than the {other_consumer_seconds} s of its consumers"
        return failed(message, VisibilityTimeout=hidden)
    seconds, window, name = max(needs, key=lambda need: times * need[0] + need[1])
    wanted, evidence = (
        times * seconds + window,
        {"VisibilityTimeout": hidden, "Timeout": seconds, "function": name},
    )
    if hidden >= wanted:
        return passed(f"hides messages for {hidden} s, enough for {name}", **evidence)
    if hidden < max(need[0] for need in needs):
        return failed(f"hides messages for {hidden} s, less than one run of {name} ({seconds} s)", **evidence)
    message = f"hides messages for {hidden} s, less than the {wanted} s that {times} runs of {name} may take"
    return failed(message, severity="medium", **evidence)


def _consumers(queue: Resource, inventory: Inventory) -> list[tuple[int, int, str]]:
    """Timeout, batching window and name of every function that an enabled mapping feeds from the queue."""
    found = []
    for relation in inventory.targets(queue, "triggers"):
        mapping = inventory.get(relation.via)
        function = inventory.find("AWS::Lambda::Function", relation.target)
        if mapping is not None and function is not None and not activity.mapping_is_off(mapping["State"]):
            window = mapping["MaximumBatchingWindowInSeconds"] or 0
            found.append((int(function["Timeout"]), int(window), function.name))
    return found


# -- Step Functions --------------------------------------------------------------------------------


@check("AWS::StepFunctions::StateMachine")
def sfn_task_retry(machine: Resource) -> Verdict:
    """Passes where every Task is tried again after a passing fault.

    A Retry counts with at least one retrier of MaxAttempts other than 0 for States.ALL (alone and last),
    States.TaskFailed or errors that pass (throttling, a service's own faults); that of an enclosing Parallel
    or Map counts too. States.ALL never matches States.DataLimitExceeded and States.Runtime. Exempt are Tasks
    that only notify, that wait for a person's approval (a callback or activity that says so in its name or
    comment), whose comment says no-retry, and machines tagged wa-audit:retry=no-retry.
    """
    tasks = [
        task
        for task in states.tasks(machine["definition"])
        if not states.notifies(task) and not states.awaits_approval(task) and not states.declines_retry(task)
    ]
    if not tasks:
        return not_applicable("has no Task that should be tried again")
    bare = [task.path for task in tasks if not states.retried(task)]
    if not bare:
        return passed("tries every Task again", tasks=len(tasks))
    if machine.tags.get("wa-audit:retry") == "no-retry":
        return not_applicable("is tagged as not to be tried again")
    share = 100 * (len(tasks) - len(bare)) // len(tasks)
    message = (
        f"tries {len(tasks) - len(bare)} of {len(tasks)} Tasks again ({share} %), not {', '.join(bare[:3])}"
    )
    return failed(message, tasks=len(tasks), withoutRetry=bare[:10])


@check("AWS::StepFunctions::StateMachine")
def sfn_task_catch(machine: Resource, inventory: Inventory) -> Verdict:
    """Passes where every Task's failure is caught, and leads to something that deals with it.

    The Task or a Parallel or Map around it has a Catch. A Catch of all errors that goes straight to a
    Succeed state, or through Pass states to the end, hides the failure, and so does a Map that tolerates
    100 % failed items; both fail. Tasks that only a Catch leads to deal with failure themselves and need
    none. Milder (low) where an enabled EventBridge rule with a target hears of the machine's failed
    executions (Standard machines: Express ones send no such events). Says nothing about machines without
    Tasks.
    """
    tasks = [t for t in states.tasks(machine["definition"]) if not states.off_the_main_path(t)]
    if not tasks:
        return not_applicable("has no Task")
    fates = {task.path: states.fate(task) for task in tasks}
    hidden = [path for path, fate in fates.items() if fate == states.HIDDEN]
    uncaught = [path for path, fate in fates.items() if fate == states.UNCAUGHT]
    evidence: dict[str, Any] = {"uncaught": uncaught[:10], "hidden": hidden[:10]}
    if hidden:
        return failed(f"ends well although {', '.join(hidden[:3])} failed", **evidence)
    if not uncaught:
        return passed("catches the failure of every Task", tasks=len(tasks))
    message = f"does not catch the failure of {', '.join(uncaught[:3])}"
    if machine["type"] != "EXPRESS" and _is_heard(machine, inventory):
        return failed(
            f"{message}; an EventBridge rule hears of failed executions", severity="low", **evidence
        )
    return failed(message, **evidence)


def _is_heard(machine: Resource, inventory: Inventory) -> bool:
    """Whether an enabled rule with a target, on the bus that AWS sends to, matches failed executions."""
    event = patterns.execution_event(machine.arn, "FAILED", account=machine.account, region=machine.region)
    return any(
        rule["EventBusName"] in (None, "default")
        and patterns.matches(rule["EventPattern"], event)
        and bool(rule["Targets"])
        for rule in inventory.of("AWS::Events::Rule", region=machine.region)
        if activity.rule_is_on(rule["State"])
    )


@check("AWS::StepFunctions::StateMachine")
def sfn_task_timeout(machine: Resource) -> Verdict:
    """Passes where the machine, or every Task in it that waits for others, ends by itself.

    TimeoutSeconds of the whole definition, or TimeoutSeconds or HeartbeatSeconds (or their Path forms) of
    each Task with .waitForTaskToken, .sync or an activity. Unset, a Task waits for 99,999,999 seconds, and a
    Standard execution for a year. Says nothing about Express machines, which end after five minutes.
    """
    if machine["type"] == "EXPRESS":
        return not_applicable("is an Express machine, which ends after five minutes")
    definition = machine["definition"] or {}
    if states.limited(definition):
        return passed("ends by itself", TimeoutSeconds=definition.get("TimeoutSeconds"))
    waiting = [task for task in states.tasks(definition) if states.integration(task).waits]
    endless = [task.path for task in waiting if not states.limited(task.body)]
    if endless:
        message = f"waits without end in {', '.join(endless[:3])}"
        return failed(message, withoutTimeout=endless[:10], TimeoutSeconds=None)
    if waiting:
        return passed("bounds every Task that waits for others", tasks=len(waiting))
    return passed("has no Task that waits for a job, a callback or an activity")
