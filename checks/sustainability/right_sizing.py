"""What runs, runs where and as large as it needs to."""

from typing import Any

from wa_audit.rule import (
    ACCOUNT_TYPE,
    PIPELINE_TYPES,
    Inventory,
    Resource,
    Verdict,
    activity,
    arns,
    carbon,
    check,
    failed,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    schedules,
    times,
    wasted,
)


@check(ACCOUNT_TYPE)
def region_carbon_intensity(
    account: Resource, inventory: Inventory, *, most_grams: int, data_residency: list[str]
) -> Verdict:
    """Passes where every region in use stands in a grid of at most 350 gCO2e/kWh (most_grams).

    Judges the audited regions that hold pipeline resources; the workgroup primary, which AWS makes in every
    region, does not count as one. Regions named in `data_residency` are pinned there and left out. Regions
    that the bundled table does not know are not evaluated. Suggests only regions of the same legal space.
    The factors are location-based (Cloud Carbon Footprint, dated in the data file): they speak of the grid.
    AWS's own claim, that it matches all the electricity it uses with renewable energy, is market-based and
    differs.
    """
    used = sorted(neighbours.regions_of(PIPELINE_TYPES, inventory) - set(data_residency))
    if not used:
        return not_applicable("holds no pipeline resources in the audited regions that may be moved")

    grams = {region: carbon.intensity(region) for region in used}
    dirty = [region for region, value in grams.items() if value is not None and value > most_grams]
    unknown = [region for region, value in grams.items() if value is None]
    if dirty:
        cleaner = {region: carbon.cleaner(region, most_grams) for region in dirty}
        named = ", ".join(f"{region} ({grams[region]} gCO2e/kWh)" for region in dirty)
        return failed(
            f"runs in {named}, more than {most_grams}",
            carbon=carbon.best_move(cleaner),
            gco2e_per_kwh=grams,
            cleaner=cleaner,
        )
    if unknown:
        return not_evaluated(f"runs in {', '.join(unknown)}, whose grid no table knows", gco2e_per_kwh=grams)
    return passed(
        f"runs in regions of at most {max(v or 0 for v in grams.values())} gCO2e/kWh", gco2e_per_kwh=grams
    )


@check("AWS::Kinesis::Stream")
def kinesis_stream_idle(stream: Resource, inventory: Inventory) -> Verdict:
    """Passes where the stream took in a record within the time that metrics were read of (--metrics-days).

    Kinesis always reports IncomingRecords, so that no datapoints are no records. Says nothing about streams
    that stand by for a disaster, tagged wa-audit:standby=approved. A stream that is younger than the time
    looked at, and has taken in nothing, is not evaluated.
    https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
    """
    days = inventory.run.metrics_days
    records = stream.metric("IncomingRecords")
    if records is None:
        return not_evaluated("was read without IncomingRecords")
    if taken := records.get("Sum"):
        return passed(f"took in {taken:,.0f} records in {days} days", IncomingRecords=taken)
    if stream.tags.get("wa-audit:standby") == "approved":
        return not_applicable("stands by, as its tag says")
    created = stream["StreamCreationTimestamp"]
    evidence: dict[str, Any] = {"StreamCreationTimestamp": created, "IncomingRecords": 0, "days": days}
    if not created:
        return not_evaluated("took in nothing, and its age is not known", **evidence)
    if times.hours_between(created, inventory.run.started) < days * 24:
        return not_evaluated(f"took in nothing, and is not yet {days} days old", **evidence)
    return failed(
        f"took in no records in {days} days",
        waste=wasted.stream(stream),
        carbon=wasted.all_of_it(),
        **evidence,
    )


@check("AWS::Lambda::EventSourceMapping")
def lambda_esm_batching(
    mapping: Resource,
    inventory: Inventory,
    *,
    most_invocations_a_day: int,
    short_milliseconds: int,
    latency_tag: str,
) -> Verdict:
    """A function that a busy source calls for little work takes in several records at a time.

    Fails where a mapping has BatchSize 1 or no MaximumBatchingWindowInSeconds, and the function ran more than
    `most_invocations_a_day` times a day for less than `short_milliseconds` on average, over the time that
    metrics were read of (--metrics-days): starting it costs more than its work. Says nothing of FIFO queues,
    whose order a larger batch makes no cheaper to keep, and of functions with the tag `latency_tag`.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
    """
    function = inventory.find("AWS::Lambda::Function", arns.whole(mapping["FunctionArn"] or ""))
    if function is None:
        return not_applicable("calls a function that is not there")
    if str(mapping["EventSourceArn"]).endswith(".fifo"):
        return not_applicable("reads a FIFO queue")
    if latency_tag in function.tags:
        return not_applicable("calls a function that may not wait, as its tag says")
    mean = function.mean("Duration")
    if function.mean("Invocations") is None or mean is None:
        return not_applicable(f"calls {function.name}, which has not run")

    size, window = mapping["BatchSize"] or 1, mapping["MaximumBatchingWindowInSeconds"] or 0
    a_day = function.total("Invocations") / inventory.run.metrics_days
    evidence: dict[str, Any] = {
        "BatchSize": size,
        "MaximumBatchingWindowInSeconds": window,
        "invocations_a_day": round(a_day),
        "Duration": round(mean, 1),
    }
    if a_day <= most_invocations_a_day or mean >= short_milliseconds:
        return passed(f"calls {function.name} {a_day:,.0f} times a day for {mean:,.0f} ms", **evidence)
    if size == 1 or not window:
        return failed(
            f"calls {function.name} {a_day:,.0f} times a day for {mean:,.0f} ms, with batches of {size} "
            f"and a window of {window} s",
            **evidence,
        )
    return passed(f"gathers batches of {size} within {window} s", **evidence)


@check("AWS::Glue::Trigger")
def glue_schedule_frequency(
    trigger: Resource, inventory: Inventory, *, least_minutes: int, short_minutes: float, latency_tag: str
) -> Verdict:
    """A schedule does not start a job again and again for next to no work.

    Fails where an activated trigger starts a batch job more often than every `least_minutes` minutes whose
    runs take less than `short_minutes` minutes on average: most of it is starting up, and larger batches, or
    a stream, would do. Says nothing of streaming jobs, and of jobs that bear the tag `latency_tag`.
    https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
    """
    if trigger["Type"] != "SCHEDULED" or trigger["State"] not in ("ACTIVATED", "CREATED", "ACTIVATING"):
        return not_applicable(f"is {trigger['Type']} and {trigger['State']}")
    expression = str(trigger["Schedule"])
    seconds = schedules.period(expression)
    if seconds is None:
        return not_evaluated("has a schedule that cannot be read", Schedule=expression)
    jobs = [
        inventory.find("AWS::Glue::Job", inventory.arn_near("AWS::Glue::Job", action["JobName"], trigger))
        for action in trigger["Actions"] or ()
        if action.get("JobName")
    ]
    batch = [job for job in jobs if job is not None and not activity.is_streaming(job["Command"])]
    if not batch:
        return not_applicable("starts no batch job")
    if seconds >= 60 * least_minutes:
        return passed(f"starts its jobs every {seconds // 60} minutes", Schedule=expression)
    for job in batch:
        spent = [run["ExecutionTime"] for run in job["JobRuns"] or () if run.get("ExecutionTime")]
        minutes = sum(spent) / len(spent) / 60 if spent else None
        if minutes is not None and minutes < short_minutes and latency_tag not in job.tags:
            return failed(
                f"starts {job.name} every {seconds // 60} minutes, for {minutes:.1f} minutes of work",
                Schedule=expression,
                runs=len(spent),
            )
    return passed("starts jobs that have work for longer, or may not wait", Schedule=expression)
