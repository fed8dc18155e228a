"""Nothing moves, waits or asks for nobody."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    arns,
    check,
    failed,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    schedules,
    times,
)


@check("AWS::DynamoDB::Table")
def dynamodb_stream_consumed(table: Resource, inventory: Inventory) -> Verdict:
    """A table's stream is read by somebody.

    Looks at event source mappings and pipes. A global table uses its stream itself. A consumer that runs
    elsewhere, by the Kinesis adapter, nobody can see.
    """
    if not (table["StreamSpecification"] or {}).get("StreamEnabled"):
        return not_applicable("has no stream")
    if table["Replicas"]:
        return not_applicable("replicates by its stream")

    readers = sorted({relation.target for relation in inventory.targets(table, "triggers")})
    if readers:
        return passed("has its stream read", readers=readers)
    return failed("has a stream that nothing reads", StreamSpecification=table["StreamSpecification"])


@check("AWS::Kinesis::Stream")
def kinesis_stream_consumed(stream: Resource, inventory: Inventory) -> Verdict:
    """What is put into a stream is read by somebody.

    Fails where records came in, none was read, and nothing found reads it: no event source mapping, pipe,
    delivery stream or registered consumer. A stream into which nothing came is another rule's.
    """
    readers = {r.target for r in inventory.targets(stream, "triggers")}
    readers |= {r.source for r in inventory.sources(stream, "reads-from")}
    if readers or stream["ConsumerCount"]:
        return passed("is read", readers=sorted(readers), ConsumerCount=stream["ConsumerCount"])

    came, read = stream.metric("IncomingRecords"), stream.metric("GetRecords.Records")
    records = (came or {}).get("Sum", 0)
    if not records:
        return not_applicable("took in nothing")
    if (read or {}).get("Sum"):
        return passed("is read by a consumer of its own", GetRecords=read)
    days = inventory.run.metrics_days
    return failed(
        f"took in {records:,.0f} records in {days} days, of which none was read", IncomingRecords=records
    )


@check("AWS::Glue::Crawler")
def glue_crawler_event_driven(crawler: Resource, *, least_minutes: int) -> Verdict:
    """A crawler of S3 that runs more often than every `least_minutes` minutes is told what has changed.

    A schedule lists every object each time; in event mode (RecrawlBehavior CRAWL_EVENT_MODE) the crawler
    reads what S3 tells it of through a queue.
    https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html
    """
    expression = (crawler["Schedule"] or {}).get("ScheduleExpression")
    targets = (crawler["Targets"] or {}).get("S3Targets") or []
    if not expression or not targets:
        return not_applicable("does not crawl S3 by a schedule")
    if (crawler["RecrawlPolicy"] or {}).get("RecrawlBehavior") == "CRAWL_EVENT_MODE":
        return passed("crawls what S3 tells it of", RecrawlBehavior="CRAWL_EVENT_MODE")

    seconds = schedules.period(expression)
    if seconds is not None and seconds < least_minutes * 60:
        return failed(
            f"lists all of S3 every {seconds // 60} minutes, in place of reading events",
            ScheduleExpression=expression,
            least_minutes=least_minutes,
        )
    return passed("crawls seldom", ScheduleExpression=expression)


@check("AWS::Kinesis::Stream")
def batch_instead_of_streaming(
    stream: Resource,
    inventory: Inventory,
    *,
    least_records_per_second: float,
    most_empty_percent: int,
    latency_tag: str,
) -> Verdict:
    """A stream that something reads all day and night has something to give.

    Looks at readers that run whether or not a record comes, and whose settings name the stream: Glue
    streaming jobs, EMR clusters that stay up after their steps, ECS services. Fails where the stream takes in
    less than `least_records_per_second` on average over the time that metrics were read of (--metrics-days),
    or nothing in more than `most_empty_percent` of its hours: small batches by schedule, or Lambda, do the
    same work. Functions and delivery streams run only as records come, and are not meant. What code alone
    names nobody can see. Says nothing of a stream that bears the tag `latency_tag`: its readers may not wait.
    """
    users = [neighbours.look_up(relation.source, inventory) for relation in inventory.sources(stream, "uses")]
    readers = sorted(user.name for user in users if user is not None and _stays_up(user, inventory))
    if not readers:
        return not_applicable("is named by no reader that runs all the time")
    if latency_tag in stream.tags:
        return not_applicable("is read at once, as its tag says", **{latency_tag: stream.tags[latency_tag]})
    hourly, days = stream.metric("IncomingRecords.Hourly"), inventory.run.metrics_days
    if hourly is None:
        return not_evaluated("was read without IncomingRecords by the hour")

    hours = days * 24
    if times.hours_between(stream["StreamCreationTimestamp"], inventory.run.started) < hours:
        return not_evaluated(f"is not yet {days} days old", readers=readers)
    rate = hourly.get("Sum", 0) / (hours * 3600)
    empty = 100 * (hours - hourly.get("Above0", 0)) / hours
    evidence: dict[str, Any] = {
        "readers": readers,
        "records_per_second": round(rate, 3),
        "empty_hours_percent": round(empty),
    }
    told = f"takes in {rate:.2g} records a second, with nothing in {empty:.0f} % of the hours"
    if rate < least_records_per_second or empty > most_empty_percent:
        return failed(f"{told}, and {', '.join(readers)} reads it all the time", **evidence)
    return passed(told, **evidence)


def _stays_up(reader: Resource, inventory: Inventory) -> bool:
    """Whether a reader runs, and is paid for, also while nothing comes."""
    match reader.type:
        case "AWS::Glue::Job":
            return activity.is_streaming(reader["Command"])
        case "AWS::EMR::Cluster":
            return not activity.ending(reader["Status"]) and not reader["AutoTerminate"]
        case "AWS::ECS::TaskDefinition":
            starters = inventory.sources(reader, "starts")
            return any(arns.type_of(relation.source) == "AWS::ECS::Service" for relation in starters)
    return False
