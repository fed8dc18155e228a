"""Somebody hears of it when a pipeline fails or falls behind."""

from collections.abc import Collection
from typing import Any

from wa_audit.rule import (
    ACCOUNT_TYPE,
    Inventory,
    Resource,
    Verdict,
    activity,
    alarms,
    arns,
    check,
    failed,
    lookups,
    not_applicable,
    not_evaluated,
    passed,
    patterns,
    queues,
    states,
)

_VISIBLE = "ApproximateNumberOfMessagesVisible"
_AGE = "ApproximateAgeOfOldestMessage"
# Of a metric by the hour: a whole day.
_HOURS = 24
_POLLED = "GetRecords.IteratorAgeMilliseconds"
_FANNED_OUT = "SubscribeToShardEvent.MillisBehindLatest"


# -- what the rules share --------------------------------------------------------------------------


def _alarms(
    resource: Resource, inventory: Inventory, namespace: str, names: Collection[str], **dimensions: str
) -> list[Resource]:
    """The alarms of the resource's region that watch one of these metrics with these dimensions."""
    return lookups.alarms_on(resource.region, inventory, namespace, names, dimensions)


def _heard(found: list[Resource], inventory: Inventory) -> list[Resource]:
    """Those that do something when they go off, by themselves or through a composite alarm."""
    return [
        alarm
        for alarm in found
        if alarms.actionable(alarm, inventory.of("AWS::CloudWatch::CompositeAlarm", region=alarm.region))
    ]


def _event_rule(resource: Resource, inventory: Inventory, events: list[dict[str, object]]) -> Resource | None:
    """An enabled rule on the region's default bus that hands one of these events to a target."""
    for rule in lookups.rules_for(resource.region, events, inventory):
        enabled = activity.rule_is_on(rule["State"])
        on_default_bus = (rule["EventBusName"] or "default") == "default"
        matching = any(patterns.matches(rule["EventPattern"], event) for event in events)
        if enabled and on_default_bus and matching and rule["Targets"]:
            return rule
    return None


def _is_dead_letter_queue(queue: Resource, inventory: Inventory) -> bool:
    """By its name, by what it lets dead-letter to it, or because something does."""
    declared = queues.is_for_dead_letters(queue.name, queue["RedriveAllowPolicy"])
    return declared or inventory.has_source(queue, "dead-letters-to")


# -- rules -----------------------------------------------------------------------------------------


@check("AWS::SQS::Queue")
def sqs_dlq_alarm(queue: Resource, inventory: Inventory, *, most_messages: int) -> Verdict:
    """Passes where an alarm with an action goes off at 10 dead letters or fewer (most_messages).

    The alarm watches ApproximateNumberOfMessagesVisible, alone, in metric math or in a Metrics Insights
    query, and its action is its own or that of a composite alarm above it. NumberOfMessagesSent does not
    count what a redrive policy moves, so an alarm on it never goes off. An idle queue sends no data:
    INSUFFICIENT_DATA is normal. A query that picks queues by their tags is not credited. Queues that nothing
    gives up to are not judged.
    """
    if not _is_dead_letter_queue(queue, inventory):
        return not_applicable("is not a dead-letter queue")
    found = _alarms(queue, inventory, "AWS/SQS", {_VISIBLE}, QueueName=queue.name)
    heard = _heard(found, inventory)
    for alarm in heard:
        if _rises(alarm) and alarm["Threshold"] is not None and alarm["Threshold"] <= most_messages:
            return passed(f"sets off alarm {alarm.name}", AlarmName=alarm.name, Threshold=alarm["Threshold"])
    if heard:
        return failed(
            f"has alarm {heard[0].name}, which does not go off at {most_messages} messages",
            ComparisonOperator=heard[0]["ComparisonOperator"],
            Threshold=heard[0]["Threshold"],
        )
    if found:
        return failed(f"has alarm {found[0].name}, which has no action", AlarmName=found[0].name)
    if sent := _alarms(queue, inventory, "AWS/SQS", {"NumberOfMessagesSent"}, QueueName=queue.name):
        return failed(f"has alarm {sent[0].name}, on a metric that redriven messages are not counted in")
    return failed(f"has no alarm on {_VISIBLE}", MetricName=_VISIBLE)


def _rises(alarm: Resource) -> bool:
    return (alarm["ComparisonOperator"] or "").startswith("GreaterThan")


@check("AWS::SQS::Queue")
def sqs_dlq_empty(queue: Resource, inventory: Inventory) -> Verdict:
    """Passes where a dead-letter queue holds no messages, or has held some for less than a day.

    For a day: by the smallest ApproximateNumberOfMessagesVisible of each of the last 24 hours before the run.
    SQS reports nothing of a queue that has been empty for hours, so a missing hour was an empty one; a queue
    that holds messages and of which no hour is reported is not evaluated. Says nothing about queues that are
    no dead-letter queues.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    if not _is_dead_letter_queue(queue, inventory):
        return not_applicable("is not a dead-letter queue")
    waiting = queue["ApproximateNumberOfMessages"]
    if waiting == 0:
        return passed("holds no messages", ApproximateNumberOfMessages=0)
    if waiting is None:
        return not_evaluated("does not say how many messages it holds")
    day = queue.metric(_VISIBLE) or {"Datapoints": 0}
    evidence = {"ApproximateNumberOfMessages": waiting, "hours": day["Datapoints"]}
    if not day["Datapoints"]:
        return not_evaluated(f"holds {waiting} messages, and no metric says since when", **evidence)
    least = day["Minimum"]
    if day["Datapoints"] < _HOURS or not least:
        return passed(f"holds {waiting} messages, for less than a day", least=least, **evidence)
    return failed(f"holds {waiting} messages, and was not empty for a day", least=least, **evidence)


@check("AWS::SQS::Queue")
def sqs_age_alarm(queue: Resource, inventory: Inventory) -> Verdict:
    """Passes where an alarm watches how old the queue's oldest message is, or how many wait.

    An alarm on ApproximateAgeOfOldestMessage must go off before messages expire: its threshold is below the
    retention period. An alarm on the backlog, ApproximateNumberOfMessagesVisible, will do. Whether the alarm
    has an action is judged by cloudwatch-alarm-has-action. Dead-letter queues are not judged. Does not look
    at metrics, so queues without traffic are judged as all others.
    """
    if _is_dead_letter_queue(queue, inventory):
        return not_applicable("is a dead-letter queue")
    if backlog := _alarms(queue, inventory, "AWS/SQS", {_VISIBLE}, QueueName=queue.name):
        return passed(f"has its backlog watched by {backlog[0].name}", AlarmName=backlog[0].name)
    found = _alarms(queue, inventory, "AWS/SQS", {_AGE}, QueueName=queue.name)
    if not found:
        return failed(f"has no alarm on {_AGE} or {_VISIBLE}", MetricName=_AGE)
    retention = queue["MessageRetentionPeriod"]
    for alarm in found:
        if alarm["Threshold"] is None or retention is None or alarm["Threshold"] < retention:
            return passed(f"has its oldest message watched by {alarm.name}", Threshold=alarm["Threshold"])
    return failed(
        f"has alarm {found[0].name}, which would go off when messages have expired already",
        Threshold=found[0]["Threshold"],
        MessageRetentionPeriod=retention,
    )


@check("AWS::SNS::Topic")
def sns_alarm_topic_has_subscriber(topic: Resource, inventory: Inventory) -> Verdict:
    """Passes where a topic that alarms or event rules notify has a confirmed subscription.

    Counts SubscriptionsConfirmed; subscriptions that await confirmation or are deleted receive nothing.
    Topics that no alarm names as an action and no event rule as a target are not judged. Budgets are not
    read, and topics in other accounts are not seen.
    """
    if not inventory.has_source(topic, "notifies") and not _is_told_of_events(topic, inventory):
        return not_applicable("is not notified by any alarm or event rule")
    confirmed, pending = topic["SubscriptionsConfirmed"] or 0, topic["SubscriptionsPending"] or 0
    evidence: dict[str, Any] = {"SubscriptionsConfirmed": confirmed, "SubscriptionsPending": pending}
    if confirmed:
        return passed(f"has {confirmed} confirmed subscriptions", **evidence)
    if pending:
        return failed(f"has no confirmed subscription: {pending} await confirmation", **evidence)
    return failed("has no subscription, so nobody hears of the alarms it is for", **evidence)


def _is_told_of_events(topic: Resource, inventory: Inventory) -> bool:
    return any(
        target["Arn"] == topic.arn
        for rule in lookups.rules_to(topic, inventory)
        for target in rule["Targets"] or ()
    )


@check("AWS::CloudWatch::Alarm")
def cloudwatch_alarm_has_action(alarm: Resource, inventory: Inventory) -> Verdict:
    """Passes where the alarm does something when it goes off, or a composite alarm above it does.

    It does where ActionsEnabled is true and AlarmActions is not empty; a composite counts where its AlarmRule
    lets this alarm raise it. Alarms outside the namespaces of pipeline services are not judged, nor are the
    TargetTracking alarms that auto scaling makes and unmakes for itself.
    """
    if alarm.name.startswith("TargetTracking-"):
        return not_applicable("belongs to auto scaling")
    namespaces = sorted({metric.namespace for metric in alarms.metrics(alarm)} & alarms.PIPELINE_NAMESPACES)
    if not namespaces:
        return not_applicable("watches no pipeline service")
    if alarms.acts(alarm):
        return passed(f"has {len(alarm['AlarmActions'])} actions", ActionsEnabled=True, Namespace=namespaces)
    if _heard([alarm], inventory):
        return passed("raises a composite alarm that has actions", Namespace=namespaces)
    if alarm["AlarmActions"]:
        return failed("has its actions switched off", ActionsEnabled=False, Namespace=namespaces)
    return failed("has no action for when it goes off", AlarmActions=[], Namespace=namespaces)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_freshness_alarm(stream: Resource, inventory: Inventory) -> Verdict:
    """Passes where an alarm watches DeliveryTo<Destination>.DataFreshness or .Success of the stream.

    Delivery to Redshift goes through S3 and may be watched there. Whether the alarm has an action is judged
    by cloudwatch-alarm-has-action. Does not look at metrics, so idle streams are judged as all others.
    """
    kinds = sorted({kind for found in stream["Destinations"] or () for kind, value in found.items() if value})
    deliveries = [name for kind in kinds for name in alarms.FIREHOSE_DELIVERIES.get(kind, ())]
    if not deliveries:
        return not_evaluated("delivers to a destination that no table knows", Destinations=kinds)
    names = [f"{delivery}.{measure}" for delivery in deliveries for measure in ("DataFreshness", "Success")]
    found = _alarms(stream, inventory, "AWS/Firehose", names, DeliveryStreamName=stream.name)
    if found:
        return passed(f"has its delivery watched by {found[0].name}", AlarmName=found[0].name)
    return failed(f"has no alarm on {names[0]} or {names[1]}", metrics=names)


@check("AWS::Kinesis::Stream")
def kinesis_iterator_age_alarm(stream: Resource, inventory: Inventory) -> Verdict:
    """Passes where an alarm with an action watches how far the stream's consumers are behind.

    That is GetRecords.IteratorAgeMilliseconds of the stream, SubscribeToShardEvent.MillisBehindLatest for
    consumers with enhanced fan-out (where the former is absent, so it does not count if every function that
    reads the stream does so by enhanced fan-out), or Lambda's IteratorAge of every function that reads it.
    Where no function does, and an alarm watches millisBehindLatest of a Flink application, the rule is not
    evaluated: which stream an application reads is not known. Does not look at metrics, so streams without
    traffic are judged as all others.
    """
    mappings = [
        mapping
        for mapping in lookups.mappings_of(stream, inventory)
        if mapping["State"] not in ("Disabled", "Disabling", "Deleting")
    ]
    only_fans_out = mappings and all("/consumer/" in mapping["EventSourceArn"] for mapping in mappings)
    names = [_FANNED_OUT] if only_fans_out else [_POLLED, _FANNED_OUT]
    if heard := _heard(_alarms(stream, inventory, "AWS/Kinesis", names, StreamName=stream.name), inventory):
        return passed(f"has its consumers watched by {heard[0].name}", AlarmName=heard[0].name)

    readers = sorted({arns.parse(arns.function_arn(m["FunctionArn"])).name for m in mappings})
    unwatched = [
        name
        for name in readers
        if not _heard(_alarms(stream, inventory, "AWS/Lambda", {"IteratorAge"}, FunctionName=name), inventory)
    ]
    if readers and not unwatched:
        return passed("has each of its functions watched by IteratorAge", functions=readers)
    if readers:
        return failed(
            f"is read by {unwatched[0]}, whose lag no alarm with an action watches", functions=unwatched
        )
    if flink := _flink_alarms(stream, inventory):
        return not_evaluated(f"may be read by the Flink application that {flink[0].name} watches")
    return failed(f"has no alarm with an action on {_POLLED}", MetricName=_POLLED)


def _flink_alarms(stream: Resource, inventory: Inventory) -> list[Resource]:
    found = inventory.of("AWS::CloudWatch::Alarm", region=stream.region)
    lagging = inventory.derived(
        f"alarms of {stream.region} on millisBehindLatest",
        lambda: [a for a in found if any(m.name == "millisBehindLatest" for m in alarms.metrics(a))],
    )
    return _heard(lagging, inventory)


@check("AWS::StepFunctions::StateMachine")
def sfn_failure_alarm(machine: Resource, inventory: Inventory) -> Verdict:
    """Passes where an alarm with an action or an event rule tells of the state machine's failed executions.

    The alarm watches ExecutionsFailed; the message says whether timed-out and aborted executions are watched
    too. The rule is enabled, matches "Step Functions Execution Status Change" with FAILED or TIMED_OUT for
    this state machine, and has a target; its pattern is evaluated as EventBridge does. EXPRESS workflows
    send no such events, so they need the alarm. A state machine that another one runs and waits for (.sync)
    is a mild failure where that one's failures are heard of.
    """
    if telling := _failure_told_by(machine, inventory):
        return passed(
            f"has its failures told by {telling}{_also_watched(machine, inventory)}", told_by=telling
        )
    for relation in inventory.sources(machine, "starts"):
        parent = inventory.find(machine.type, relation.source)
        waits = parent and parent is not machine and _waiting_tasks(parent, "statemachine", machine.arn)
        if parent and waits and _failure_told_by(parent, inventory):
            return failed(f"fails unheard, but for {parent.name} that runs it", severity="low")
    if machine["type"] == "EXPRESS":
        return failed(
            "has no alarm with an action on ExecutionsFailed, and EXPRESS sends no events", type="EXPRESS"
        )
    return failed("has no alarm with an action and no event rule for failed executions", type=machine["type"])


def _waiting_tasks(machine: Resource, what: str, name: str) -> list[states.State]:
    """The Tasks of a state machine that start this job or state machine and wait for its end."""
    tasks = states.tasks_on(machine["definition"], states.Reference(what, name))
    return [task for task in tasks if states.integration(task).pattern == states.SYNC]


def _failure_told_by(machine: Resource, inventory: Inventory) -> str:
    """The alarm or the event rule that tells of the machine's failures; empty where none does."""
    dimensions = {"StateMachineArn": machine.arn}
    found = _heard(_alarms(machine, inventory, "AWS/States", {"ExecutionsFailed"}, **dimensions), inventory)
    if found:
        return f"alarm {found[0].name}"
    if machine["type"] == "EXPRESS":
        return ""
    place = {"account": machine.account, "region": machine.region}
    events = [patterns.execution_event(machine.arn, status, **place) for status in ("FAILED", "TIMED_OUT")]
    rule = _event_rule(machine, inventory, events)
    return f"rule {rule.name}" if rule else ""


def _also_watched(machine: Resource, inventory: Inventory) -> str:
    names = [
        name
        for name in ("ExecutionsTimedOut", "ExecutionsAborted")
        if _alarms(machine, inventory, "AWS/States", {name}, StateMachineArn=machine.arn)
    ]
    return f", with alarms on {' and '.join(names)}" if names else ""


@check("AWS::Glue::Job")
def glue_job_failure_notification(job: Resource, inventory: Inventory) -> Verdict:
    """Passes where somebody is told when a run of the job fails.

    Told by an enabled event rule with a target that matches "Glue Job State Change" with FAILED or TIMEOUT
    for this job, its pattern evaluated as EventBridge does; by an alarm with an action on the job's metrics
    glue.error.ALL or glue.driver.aggregate.numFailedTasks; or by a state machine that runs the job and waits
    for it (.sync), if a Catch leads to another Task or the state machine's own failures are told of. Where a
    state machine takes the name of the job it runs from its input, and nothing else tells, the rule is not
    evaluated.
    """
    place = {"account": job.account, "region": job.region}
    events = [patterns.glue_job_event(job.name, state, **place) for state in ("FAILED", "TIMEOUT")]
    if rule := _event_rule(job, inventory, events):
        return passed(f"has its failures told by rule {rule.name}", Rule=rule.name)
    names = {"glue.error.ALL", "glue.driver.aggregate.numFailedTasks"}
    if heard := _heard(_alarms(job, inventory, "Glue", names, JobName=job.name), inventory):
        return passed(f"has its failures watched by {heard[0].name}", AlarmName=heard[0].name)

    for machine in lookups.machines_on(states.Reference("job", job.name), job.region, inventory):
        tasks = _waiting_tasks(machine, "job", job.name)
        if tasks and (any(map(states.answered, tasks)) or _failure_told_by(machine, inventory)):
            return passed(f"is run by {machine.name}, which tells of failures", StateMachine=machine.name)
    if running := _runners_of_some_job(job.region, inventory):
        return not_evaluated(f"may be run by {running[0].name}, which takes the job's name from its input")
    return failed("fails without anybody being told", Rule=None, AlarmName=None, StateMachine=None)


def _runners_of_some_job(region: str, inventory: Inventory) -> list[Resource]:
    machines = inventory.of("AWS::StepFunctions::StateMachine", region=region)
    running: list[Resource] = inventory.derived(
        f"state machines of {region} that run some job",
        lambda: [m for m in machines if any(map(_runs_some_job, states.tasks(m["definition"])))],
    )
    return running


def _runs_some_job(task: states.State) -> bool:
    """Whether a Task waits for a Glue job whose name is known only as the state machine runs."""
    called = states.integration(task)
    is_run = (called.service, called.action, called.pattern) == ("glue", "startJobRun", states.SYNC)
    return is_run and not called.references


@check("AWS::MSK::Cluster")
def msk_consumer_lag_alarm(cluster: Resource, inventory: Inventory) -> Verdict:
    """An alarm with an action watches how far consumers are behind.

    That is MaxOffsetLag, SumOffsetLag or EstimatedMaxTimeLag of the cluster, or OffsetLag of each function
    that reads it. Monitoring outside CloudWatch (OpenMonitoring) makes it informational.
    https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html
    """
    found = _alarms(cluster, inventory, "AWS/Kafka", _LAG, **{"Cluster Name": cluster.name})
    if heard := _heard(found, inventory):
        return passed(f"has its consumers watched by {heard[0].name}", AlarmName=heard[0].name)
    readers = sorted(
        {arns.parse(relation.target).name for relation in inventory.targets(cluster, "triggers")}
    )
    watched = [
        name
        for name in readers
        if _heard(_alarms(cluster, inventory, "AWS/Lambda", {"OffsetLag"}, FunctionName=name), inventory)
    ]
    if readers and watched == readers:
        return passed("has each of its functions watched by OffsetLag", functions=readers)
    monitoring = ((cluster["Provisioned"] or {}).get("OpenMonitoring") or {}).get("Prometheus") or {}
    elsewhere = (monitoring.get("JmxExporter") or {}).get("EnabledInBroker")
    return failed(
        "has no alarm with an action on its consumers' lag",
        severity="info" if elsewhere else None,
        metrics=sorted(_LAG),
    )


_LAG = frozenset({"EstimatedMaxTimeLag", "MaxOffsetLag", "SumOffsetLag"})


@check("AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream")
def data_freshness_alarm(entry: Resource, inventory: Inventory, *, sporadic_tag: str) -> Verdict:
    """Where data enters, an alarm goes off when none comes.

    On a stream's IncomingRecords or IncomingBytes, or a delivery stream's DataFreshness: an alarm that goes
    off below its threshold, or takes missing data for a breach, and has an action. A delivery stream that is
    fed by a stream is no entry. Sources of which nothing is expected bear the tag `sporadic_tag`.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    if sporadic_tag in entry.tags:
        return not_applicable("is fed now and then, as its tag says")
    if inventory.has_target(entry, "reads-from"):
        return not_applicable("is fed by another stream")
    if entry.type == "AWS::Kinesis::Stream":
        found = _alarms(entry, inventory, "AWS/Kinesis", _TAKEN, StreamName=entry.name)
    else:
        names = [*_TAKEN, *(f"{kind[0]}.DataFreshness" for kind in alarms.FIREHOSE_DELIVERIES.values())]
        found = _alarms(entry, inventory, "AWS/Firehose", names, DeliveryStreamName=entry.name)
    for alarm in _heard(found, inventory):
        if (
            not _rises(alarm)
            or alarm["TreatMissingData"] == "breaching"
            or "Freshness" in str(alarm["MetricName"])
        ):
            return passed(f"sets off {alarm.name} when nothing comes", AlarmName=alarm.name)
    return failed("has no alarm that goes off when nothing comes", metrics=sorted(_TAKEN))


_TAKEN = frozenset({"IncomingBytes", "IncomingRecords"})


@check(ACCOUNT_TYPE)
def pipeline_alarm_coverage(
    account: Resource, inventory: Inventory, *, least_percent: int, poor_percent: int, watched_elsewhere: bool
) -> Verdict:
    """`least_percent` of what pipelines are made of is watched by an alarm, or a rule tells of its failures.

    Looks at jobs, functions, state machines, streams, queues and clusters in the audited Regions. Below
    `poor_percent` it is a high failure. Says nothing where `watched_elsewhere` says that another system
    watches.
    """
    if watched_elsewhere:
        return not_applicable("is watched by another system, as the parameter watched_elsewhere says")
    found = [resource for type_ in _WATCHABLE for resource in inventory.of(type_)]
    if not found:
        return not_applicable("holds nothing that an alarm could watch")
    loose = [
        r for r in found if not inventory.has_source(r, "watches") and not inventory.has_source(r, "told-of")
    ]
    percent = 100 * (len(found) - len(loose)) // len(found)
    words = f"has {percent} % of {len(found)} pipeline resources watched"
    evidence = {
        "watched": len(found) - len(loose),
        "total": len(found),
        "unwatched": [r.arn for r in loose[:10]],
    }
    if percent < least_percent:
        return failed(words, severity="high" if percent < poor_percent else None, **evidence)
    return passed(words, **evidence)


_WATCHABLE = (
    "AWS::EMR::Cluster",
    "AWS::Glue::Job",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::Function",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)


@check(ACCOUNT_TYPE)
def cloudwatch_pipeline_dashboard(
    account: Resource, inventory: Inventory, *, least_namespaces: int, shown_elsewhere: bool
) -> Verdict:
    """A dashboard shows metrics of at least `least_namespaces` services that pipelines are made of.

    Says nothing where `shown_elsewhere` says that Grafana or another tool does.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards.html
    """
    if shown_elsewhere:
        return not_applicable("has its dashboards elsewhere, as the parameter shown_elsewhere says")
    most: set[str] = set()
    for dashboard in inventory.of("AWS::CloudWatch::Dashboard"):
        body = dashboard["DashboardBody"] or {}
        shown = {name for name in body.get("Namespaces") or () if name in alarms.PIPELINE_NAMESPACES}
        texts = [text for text in body.get("Expressions") or () if text]
        shown |= {name for name in alarms.PIPELINE_NAMESPACES if any(f'"{name}"' in text for text in texts)}
        if len(shown) >= least_namespaces:
            return passed(
                f"has {dashboard.name}, which shows {', '.join(sorted(shown))}", namespaces=sorted(shown)
            )
        most = max(most, shown, key=len)
    return failed(
        f"has no dashboard that shows {least_namespaces} services of a pipeline", namespaces=sorted(most)
    )
