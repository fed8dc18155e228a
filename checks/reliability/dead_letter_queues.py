"""What cannot be processed or delivered is kept, where somebody can look at it."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    arns,
    check,
    failed,
    firehose,
    invocations,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    queues,
)

_DAY = 86_400
# The longest that SQS keeps a message.
_LONGEST_RETENTION = 14 * _DAY

_TARGETS = {
    "events": "AWS::Events::EventBus",
    "lambda": "AWS::Lambda::Function",
    "s3": "AWS::S3::Bucket",
    "sns": "AWS::SNS::Topic",
    "sqs": "AWS::SQS::Queue",
}
_WRITES_BY = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "s3": "s3:PutObject",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}
_NEEDS_QUEUE = ("firehose", "http", "https", "lambda", "sqs")
_KEEPS_FAILURES = {
    "AmazonopensearchserviceDestinationDescription": "OpenSearch",
    "AmazonOpenSearchServerlessDestinationDescription": "OpenSearch Serverless",
    "ElasticsearchDestinationDescription": "Elasticsearch",
    "HttpEndpointDestinationDescription": "an HTTP endpoint",
    "IcebergDestinationDescription": "Iceberg tables",
    "SnowflakeDestinationDescription": "Snowflake",
    "SplunkDestinationDescription": "Splunk",
}


def _is_dead_letter_queue(queue: Resource, inventory: Inventory) -> bool:
    """By its name, by what it lets dead-letter to it, or because something does."""
    declared = queues.is_for_dead_letters(queue.name, queue["RedriveAllowPolicy"])
    return declared or inventory.has_source(queue, "dead-letters-to")


# -- SQS -------------------------------------------------------------------------------------------


@check("AWS::SQS::Queue")
def sqs_queue_dlq(queue: Resource, inventory: Inventory) -> Verdict:
    """Passes where the queue has a redrive policy.

    Says nothing about dead-letter queues: those that a queue, subscription, function, mapping, pipe, schedule
    or EventBridge target gives up to, that allow redrive by queue, or whose name ends in dlq, dead or failed.
    Nor about queues that a person empties, tagged wa-audit:consumer=human.
    """
    if _is_dead_letter_queue(queue, inventory):
        return not_applicable("is itself a dead-letter queue")
    policy = queue["RedrivePolicy"]
    if policy:
        target = policy.get("deadLetterTargetArn")
        return passed(f"gives up to {arns.parse(target).name}", deadLetterTargetArn=target)
    if queue.tags.get("wa-audit:consumer") == "human":
        return not_applicable("is tagged as emptied by a person")
    return failed("has no redrive policy")


@check("AWS::SQS::Queue")
def sqs_dlq_retention(queue: Resource, inventory: Inventory, *, least_days: int) -> Verdict:
    """Passes where a dead-letter queue keeps messages for longer than the queues that it serves.

    A standard queue's message keeps its first time stamp when it is moved, so a retention that is no longer
    than the source's may lose it at once; 14 days, the most that SQS offers, always pass. FIFO queues reset
    the time stamp, and subscriptions, functions and EventBridge write new messages: there `least_days`
    suffice. Says nothing about queues that nothing gives up to.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    if not _is_dead_letter_queue(queue, inventory):
        return not_applicable("is not a dead-letter queue")
    keeps = queue["MessageRetentionPeriod"]
    if keeps >= _LONGEST_RETENTION:
        return passed(
            "keeps dead letters for 14 days, the longest that SQS offers", MessageRetentionPeriod=keeps
        )
    relations = inventory.sources(queue, "dead-letters-to")
    served = [inventory.get(r.source) for r in relations if arns.parse(r.source).service == "sqs"]
    if not queue.name.endswith(".fifo"):
        for source in served:
            period = source["MessageRetentionPeriod"] if source else 0
            if source and keeps <= period:
                return failed(
                    f"keeps dead letters for {keeps / _DAY:g} d, no longer than {source.name} "
                    f"keeps them before ({period / _DAY:g} d)",
                    MessageRetentionPeriod=keeps,
                    source=source.name,
                    sourceRetentionPeriod=period,
                )
        if served:
            message = f"keeps dead letters for {keeps / _DAY:g} d, longer than the queues that it serves"
            return passed(message, MessageRetentionPeriod=keeps)
    if keeps < least_days * _DAY:
        message = f"keeps dead letters for {keeps / _DAY:g} d, less than {least_days} d"
        return failed(message, MessageRetentionPeriod=keeps)
    return passed(f"keeps dead letters for {keeps / _DAY:g} d", MessageRetentionPeriod=keeps)


@check("AWS::SQS::Queue")
def sqs_dlq_target_valid(queue: Resource, inventory: Inventory) -> Verdict:
    """Passes where the queue that the redrive policy names can take what is given up.

    It exists in the same account and Region, is of the same type (FIFO or standard), is another queue, and
    its redrive allow policy lets this one in. Says nothing about queues without a redrive policy.
    """
    policy = queue["RedrivePolicy"]
    if not policy:
        return not_applicable("has no redrive policy")
    arn = str(policy.get("deadLetterTargetArn"))
    place, name, evidence = arns.parse(arn), arns.parse(arn).name, {"deadLetterTargetArn": arn}
    if arn == queue.arn:
        return failed("names itself as its dead-letter queue", **evidence)
    if (place.account, place.region) != (queue.account, queue.region):
        return failed(f"names {name} in another account or Region as its dead-letter queue", **evidence)
    if arn.endswith(".fifo") != queue.arn.endswith(".fifo"):
        return failed(f"names {name}, of the other queue type, as its dead-letter queue", **evidence)
    target = inventory.find("AWS::SQS::Queue", arn)
    if target is None:
        return failed(f"names {name}, which does not exist, as its dead-letter queue", **evidence)
    allowed = target["RedriveAllowPolicy"] or {}
    permission = allowed.get("redrivePermission")
    left_out = permission == "byQueue" and queue.arn not in (allowed.get("sourceQueueArns") or ())
    if permission == "denyAll" or left_out:
        return failed(f"may not give up to {name}", redrivePermission=permission, **evidence)
    return passed(f"gives up to {name}, which takes it", **evidence)


# -- SNS and EventBridge ---------------------------------------------------------------------------


@check("AWS::SNS::Subscription")
def sns_subscription_dlq(subscription: Resource) -> Verdict:
    """Passes where a function, queue, web address or Firehose stream that subscribes has a dead-letter queue.

    Says nothing about e-mail, text messages and mobile push, and about subscriptions that await their
    confirmation.
    """
    protocol = subscription["Protocol"]
    if protocol not in _NEEDS_QUEUE:
        return not_applicable(f"delivers by {protocol}")
    pending = (
        not str(subscription["SubscriptionArn"]).startswith("arn:") or subscription["PendingConfirmation"]
    )
    if pending:
        return not_applicable("awaits its confirmation")
    target = (subscription["RedrivePolicy"] or {}).get("deadLetterTargetArn")
    if target:
        return passed(f"gives up to {arns.parse(target).name}", deadLetterTargetArn=target)
    return failed(f"drops what it cannot deliver by {protocol}", Protocol=protocol)


@check("AWS::Events::Rule")
def events_target_dlq(rule: Resource) -> Verdict:
    """Passes where every target of an enabled rule has a dead-letter queue.

    Milder (low) where only notifications, targets that are SNS topics, lack one. A target that never retries
    (MaximumRetryAttempts 0) is named. Covers what cannot be delivered, not what fails within the target. Says
    nothing about disabled rules, rules without targets, and rules that an AWS service manages.
    """
    if rule["ManagedBy"]:
        return not_applicable(f"is managed by {rule['ManagedBy']}")
    if not activity.rule_is_on(rule["State"]):
        return not_applicable("is disabled")
    targets = rule["Targets"]
    if not targets:
        return not_applicable("has no targets")
    bare = [target for target in targets if not (target.get("DeadLetterConfig") or {}).get("Arn")]
    once = [t["Id"] for t in targets if (t.get("RetryPolicy") or {}).get("MaximumRetryAttempts") == 0]
    note = f"; never retries {', '.join(once)}" if once else ""
    if not bare:
        return passed(f"keeps what it cannot deliver to any of its targets{note}", withoutRetries=once)
    names = [target["Id"] for target in bare]
    notifications = all(arns.parse(target.get("Arn")).service == "sns" for target in bare)
    return failed(
        f"drops what it cannot deliver to {', '.join(names[:3])}{note}",
        severity="low" if notifications else None,
        targets=names,
        withoutRetries=once,
    )


# -- Lambda ----------------------------------------------------------------------------------------


@check("AWS::Lambda::Function")
def lambda_async_failure_destination(function: Resource, inventory: Inventory) -> Verdict:
    """Passes where an asynchronously invoked function has a dead-letter queue or an on-failure destination.

    Asynchronously invoked is what its resource policy lets S3, SNS, EventBridge, IoT, SES, CloudWatch Logs,
    Config or CodeCommit invoke, what a schedule of EventBridge Scheduler, or a pipe that fires and forgets,
    invokes with a role of its own, and what received asynchronous events (AsyncEventsReceived) in the time
    that metrics were read of, by whatever role; the destination of any version or alias counts. Neither a
    dead-letter queue nor a destination does anything for event source mappings and callers that wait, so
    functions that only those invoke are left out, as are Lambda@Edge replicas and the helpers of
    CloudFormation custom resources. Does not look at the policies of aliases.
    https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
    """
    if function["MasterArn"]:
        return not_applicable("is a replica of a Lambda@Edge function")
    if "CustomResource" in function.name or "LogRetention" in function.name:
        return not_applicable("serves a CloudFormation custom resource")
    invokers = invocations.asynchronous_invokers(function["Policy"]) or _invokers_by_role(function, inventory)
    targets = _failure_targets(function)
    if targets and invokers:
        return passed(
            f"hands failed events to {arns.parse(targets[0]).name}", target=targets[0], invokers=invokers
        )
    if targets:
        return not_applicable("is invoked asynchronously by no service that was found")
    received = 0.0 if invokers else function.total("AsyncEventsReceived")
    if not invokers and not received:
        return not_applicable("is invoked asynchronously by nothing that was found, nor by its metrics")
    whose = f"of {', '.join(invokers)}" if invokers else f"({received:,.0f} came in by a role's permission)"
    return failed(
        f"drops events {whose} that it keeps failing on: no dead-letter queue and no on-failure destination",
        invokers=invokers,
        AsyncEventsReceived=received,
    )


def _invokers_by_role(function: Resource, inventory: Inventory) -> list[str]:
    """What invokes a function asynchronously with a role, of which the function's policy says nothing."""
    found = {arns.parse(relation.via).service for relation in inventory.sources(function, "triggers")}
    pipes = [inventory.get(relation.via) for relation in inventory.sources(function, "delivers-to")]
    forgetful = [pipe for pipe in pipes if pipe and pipe.type == "AWS::Pipes::Pipe" and _forgets(pipe)]
    return sorted({*(found & {"scheduler"}), *(["pipes"] if forgetful else [])})


def _forgets(pipe: Resource) -> bool:
    """Whether a pipe hands its batches to Lambda's own queue; it waits for the answer by default."""
    parameters = (pipe["TargetParameters"] or {}).get("LambdaFunctionParameters") or {}
    return bool(parameters.get("InvocationType") == "FIRE_AND_FORGET")


def _failure_targets(function: Resource) -> list[str]:
    """The ARNs of the dead-letter queue and the on-failure destinations of any qualifier."""
    found = [(function["DeadLetterConfig"] or {}).get("TargetArn")]
    for config in function["EventInvokeConfigs"] or ():
        found.append(((config.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"))
    return [arn for arn in found if arn]


@check("AWS::Lambda::Function")
def lambda_failure_target_exists(function: Resource, inventory: Inventory) -> Verdict:
    """Passes where what a function hands its failed events to exists and can take them.

    The target of its dead-letter queue and of its on-failure destinations must exist, and must not be a FIFO
    queue or topic, which asynchronous invocation cannot write to. Its role must be allowed to write there: it
    fails where no statement of the role's policies, nor of the target's own, speaks of that. And Lambda must
    not have failed to write (DeadLetterErrors, DestinationDeliveryFailures) in the time that metrics were
    read of. A target outside of the audited account and Regions, or a bucket that is not among the account's,
    is not evaluated.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    targets = _failure_targets(function)
    if not targets:
        return not_applicable("hands failed events to nothing")
    for arn in targets:
        if arn.endswith(".fifo"):
            return failed(f"hands failed events to {arns.parse(arn).name}, which is FIFO", target=arn)
    for arn in targets:
        place = arns.parse(arn)
        if place.service not in _TARGETS:
            return not_evaluated(f"hands failed events to {place.service}, which is not known", target=arn)
        if inventory.find(_TARGETS[place.service], arns.function_arn(arn)) is None:
            if place.service == "s3":
                return not_evaluated(
                    f"hands failed events to the bucket {place.name} of another account", target=arn
                )
            return failed(f"hands failed events to {place.name}, which does not exist", target=arn)
    lost = sum(function.total(name) for name in ("DeadLetterErrors", "DestinationDeliveryFailures"))
    if lost:
        message = f"could not hand on {lost:,.0f} failed events"
        return failed(message, DeadLetterErrorsAndDestinationDeliveryFailures=lost, target=targets[0])
    role = inventory.find("AWS::IAM::Role", function["Role"])
    for arn in targets if role is not None else ():
        action = _WRITES_BY[arns.parse(arn).service]
        if role is not None and not neighbours.may_be_allowed(role, action, arn, inventory):
            return failed(
                f"runs as {role.name}, which may not {action} on {arns.parse(arn).name}", target=arn
            )
    return passed(f"hands failed events to {arns.parse(targets[0]).name}, which exists", target=targets[0])


@check("AWS::Lambda::EventSourceMapping")
def lambda_esm_on_failure(mapping: Resource) -> Verdict:
    """Passes where a mapping of a Kinesis or DynamoDB stream or of Kafka has an on-failure destination.

    Says nothing about SQS, whose queue's redrive policy does this, about Amazon MQ and DocumentDB, and about
    disabled mappings.
    """
    source = invocations.source(mapping["EventSourceArn"], mapping["SelfManagedEventSource"])
    if source not in ("kinesis", "dynamodb", "kafka"):
        return not_applicable(
            f"reads {source or 'an unknown source'}, which has no on-failure destination here"
        )
    if activity.mapping_is_off(mapping["State"]):
        return not_applicable("is disabled")
    config: dict[str, Any] = mapping["DestinationConfig"] or {}
    target = (config.get("OnFailure") or {}).get("Destination")
    if target:
        return passed(f"hands what it gives up to {arns.parse(target).name or target}", Destination=target)
    return failed(f"drops the {source} records that it gives up", FunctionArn=mapping["FunctionArn"])


# -- Firehose --------------------------------------------------------------------------------------


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_error_output_prefix(stream: Resource) -> Verdict:
    """Passes where a stream to S3 writes what failed under a prefix apart from the good data.

    ErrorOutputPrefix is set, and neither it nor Prefix begins with the other, as far as both are constant
    (up to the first `!{`). Says nothing about destinations other than S3.
    """
    destination = firehose.s3_destination(stream["Destinations"])
    if destination is None:
        return not_applicable("does not deliver to S3")
    good, bad = destination.get("Prefix") or "", destination.get("ErrorOutputPrefix") or ""
    if not bad:
        return failed("writes failed records among the good ones: no ErrorOutputPrefix", Prefix=good)
    constant_good, constant_bad = good.partition("!{")[0], bad.partition("!{")[0]
    within = constant_good and constant_bad.startswith(constant_good)
    around = constant_bad and constant_good.startswith(constant_bad)
    if within or around or good == bad:
        message = f"writes failed records under {bad}, which is not apart from {good or 'the good ones'}"
        return failed(message, Prefix=good, ErrorOutputPrefix=bad)
    return passed(f"writes failed records under {bad}", Prefix=good, ErrorOutputPrefix=bad)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_s3_backup(stream: Resource) -> Verdict:
    """Passes where a stream keeps the source records that it changes or copies elsewhere.

    To S3 with a Lambda transformation or format conversion, and to Redshift, S3BackupMode must be Enabled.
    Other destinations (OpenSearch, Splunk, HTTP, Snowflake, Iceberg) always keep at least what failed, which
    passes; where they keep everything, the message says so. Says nothing about plain delivery to S3.
    """
    s3 = firehose.s3_destination(stream["Destinations"])
    if s3 is not None:
        how = _changes(s3)
        if not how:
            return not_applicable("delivers to S3 what it gets")
        return _backup(s3, f"records before the {how}")
    for place in stream["Destinations"] or ():
        if place.get("RedshiftDestinationDescription"):
            return _backup(place["RedshiftDestinationDescription"], "records that it copies to Redshift")
        for key, name in _KEEPS_FAILURES.items():
            if place.get(key):
                mode = str(place[key].get("S3BackupMode"))
                what = "all records" if mode.startswith("All") else "the records that fail"
                return passed(f"keeps {what} on their way to {name} in S3", S3BackupMode=mode)
    return not_evaluated("delivers to a destination that is not known")


def _changes(s3: dict[str, Any]) -> str:
    """What a stream does to records on their way to S3; empty where it does nothing."""
    processing = s3.get("ProcessingConfiguration") or {}
    conversion = s3.get("DataFormatConversionConfiguration") or {}
    types = [processor.get("Type") for processor in processing.get("Processors") or ()]
    if processing.get("Enabled") and "Lambda" in types:
        return "Lambda transformation"
    # Enabled is true where the configuration leaves it out.
    return "format conversion" if conversion and conversion.get("Enabled") is not False else ""


def _backup(destination: dict[str, Any], what: str) -> Verdict:
    mode = destination.get("S3BackupMode")
    if mode == "Enabled":
        return passed(f"keeps the {what} in S3", S3BackupMode=mode)
    return failed(f"does not keep the {what}", S3BackupMode=mode)


# -- IoT and schedules ---------------------------------------------------------------------------------

_WRITES = frozenset({"dynamoDB", "dynamoDBv2", "firehose", "kafka", "kinesis", "lambda", "s3", "sqs"})


@check("AWS::IoT::TopicRule")
def iot_rule_error_action(rule: Resource) -> Verdict:
    """Passes where a rule that writes data has an error action, which gets what an action could not deliver.

    https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html
    """
    if rule["ruleDisabled"]:
        return not_applicable("is disabled", ruleDisabled=True)
    written = sorted({name for action in rule["actions"] or [] for name in action} & _WRITES)
    if not written:
        return not_applicable("writes no data")
    if rule["errorAction"]:
        return passed("hands on what its actions cannot deliver", errorAction=sorted(rule["errorAction"]))
    return failed(f"drops what it cannot write to {', '.join(written)}", actions=written)


@check("AWS::Scheduler::Schedule")
def scheduler_target_dlq(schedule: Resource) -> Verdict:
    """Passes where the schedule's target has a dead-letter queue.

    EventBridge Scheduler retries 185 times within a day, and then drops the invocation.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    if schedule["State"] == "DISABLED":
        return not_applicable("is disabled", State="DISABLED")
    queue = ((schedule["Target"] or {}).get("DeadLetterConfig") or {}).get("Arn")
    if queue:
        return passed("keeps what it cannot deliver", DeadLetterConfig=queue)
    return failed("drops what it cannot deliver", target=(schedule["Target"] or {}).get("Arn"))
