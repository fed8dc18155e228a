"""What one stage hands on, the next one is there for and can take."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    neighbours,
    not_applicable,
    passed,
)

_HANDS_ON = ("triggers", "delivers-to", "starts")
_STREAMS = ("kinesis", "dynamodb")


@check(
    "AWS::Events::Rule",
    "AWS::Glue::Trigger",
    "AWS::IoT::TopicRule",
    "AWS::Pipes::Pipe",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
)
def flow_target_exists(source: Resource, inventory: Inventory) -> Verdict:
    """Everything that it triggers, starts or delivers to exists.

    Looks at targets in the audited account and regions, of the types that data flows through. Buckets are
    left out: one that is not here may be another account's.
    """
    targets = sorted({r.target for r in inventory.targets(source, *_HANDS_ON)})
    if not targets:
        return not_applicable("hands nothing on")

    gone = [arn for arn in targets if neighbours.is_gone(arn, inventory)]
    if gone:
        names = ", ".join(arns.parse(arn).name for arn in gone)
        return failed(f"hands on to what does not exist: {names}", missing=gone)
    return passed("hands on to what exists", targets=targets)


@check("AWS::Lambda::Function")
def pipeline_no_loop(function: Resource, inventory: Inventory) -> Verdict:
    """A function is not set off by the queue, topic, stream, table or bucket that it sends to.

    Fails where its destination for successes is what triggers it. Where a bucket triggers it and its settings
    name the same bucket, nobody can see whether it reads or writes there: it fails, as low, only where the
    notification has no filter that could keep what it writes from setting it off again. AWS Lambda stops some
    loops through SQS, SNS and S3 by itself after 16 rounds.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    triggers = {relation.source for relation in inventory.sources(function, "triggers")}
    if not triggers:
        return not_applicable("is set off by nothing that was found")

    back = sorted(triggers & {relation.target for relation in inventory.targets(function, "delivers-to")})
    if back:
        return failed(f"is set off by what it delivers to: {arns.parse(back[0]).name}", loop=back)
    used = sorted(triggers & {relation.target for relation in inventory.targets(function, "uses")})
    open_ = [arn for arn in used if not _is_filtered(inventory.get(arn), function)]
    if open_:
        name = arns.parse(open_[0]).name
        return failed(
            f"is set off by every object in {name}, which its settings name", severity="low", loop=open_
        )
    return passed("is set off by nothing that it sends to", triggers=sorted(triggers))


def _is_filtered(source: Resource | None, function: Resource) -> bool:
    """Whether a bucket's notification of the function has a prefix or suffix; of other sources, always."""
    if source is None or source.type != "AWS::S3::Bucket":
        return True
    rows = (source["Notifications"] or {}).get("LambdaFunctionConfigurations") or []
    own = [row for row in rows if str(row.get("LambdaFunctionArn", "")).startswith(function.arn)]
    return all((row.get("Filter") or {}).get("Key", {}).get("FilterRules") for row in own)


@check("AWS::Lambda::Function")
def lambda_subnets_span_zones(function: Resource, inventory: Inventory, *, least_zones: int) -> Verdict:
    """A function in a VPC has subnets in at least `least_zones` Availability Zones.

    Lambda runs a function in the zones of its subnets alone; with one, the stage stops when the zone does.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    if not inventory.targets(function, "placed-in"):
        return not_applicable("is not in a VPC")

    zones = neighbours.zones(function, inventory)
    if len(zones) < least_zones:
        return failed(
            f"runs in {len(zones)} Availability Zone, {least_zones} are wanted", AvailabilityZones=zones
        )
    return passed(f"runs in {len(zones)} Availability Zones", AvailabilityZones=zones)


@check("AWS::Pipes::Pipe")
def pipes_source_dlq(pipe: Resource) -> Verdict:
    """A pipe from a Kinesis or DynamoDB stream keeps the records that it cannot deliver.

    Other sources keep their own: a queue by its redrive policy, Kafka by its offsets, which a pipe retries.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """
    if arns.parse(pipe["Source"]).service not in _STREAMS:
        return not_applicable("does not read from a stream", Source=pipe["Source"])

    parameters = pipe["SourceParameters"] or {}
    settings = parameters.get("KinesisStreamParameters") or parameters.get("DynamoDBStreamParameters") or {}
    queue = (settings.get("DeadLetterConfig") or {}).get("Arn")
    if queue:
        return passed("keeps what it cannot deliver", DeadLetterConfig=queue)
    attempts = settings.get("MaximumRetryAttempts", -1)
    if attempts == -1:
        return failed(
            "blocks a shard with a record that it cannot deliver, until it expires", MaximumRetryAttempts=-1
        )
    return failed(f"drops a record after {attempts} retries", MaximumRetryAttempts=attempts)


@check("AWS::Lambda::EventSourceMapping")
def lambda_concurrency_fits_shards(mapping: Resource, inventory: Inventory) -> Verdict:
    """A function that reads a Kinesis stream may run as often at once as the stream's shards ask for.

    Lambda runs one invocation a shard, times ParallelizationFactor. Reserved concurrency under that leaves
    shards waiting, and their iterators grow old.
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    stream = inventory.find("AWS::Kinesis::Stream", arns.whole(mapping["EventSourceArn"] or ""))
    function = inventory.find("AWS::Lambda::Function", arns.whole(mapping["FunctionArn"] or ""))
    if arns.parse(mapping["EventSourceArn"]).service != "kinesis" or stream is None or function is None:
        return not_applicable("does not read a Kinesis stream into a function of this account")

    reserved = function["ReservedConcurrentExecutions"]
    needed = stream["OpenShardCount"] * (mapping["ParallelizationFactor"] or 1)
    evidence = {
        "OpenShardCount": stream["OpenShardCount"],
        "ParallelizationFactor": mapping["ParallelizationFactor"],
    }
    if reserved is None:
        return passed(f"needs {needed} at once, and {function.name} reserves nothing", **evidence)
    if reserved < needed:
        return failed(
            f"needs {needed} invocations at once, and {function.name} reserves {reserved}",
            ReservedConcurrentExecutions=reserved,
            **evidence,
        )
    return passed(
        f"needs {needed} at once, {reserved} are reserved", ReservedConcurrentExecutions=reserved, **evidence
    )
