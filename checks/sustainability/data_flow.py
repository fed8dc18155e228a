"""Nothing moves, waits or asks for nobody."""

from wa_audit.rule import Inventory, Resource, Verdict, check, failed, not_applicable, passed, schedules


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
