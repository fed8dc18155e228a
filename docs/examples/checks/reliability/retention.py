"""How long data can be replayed. The theme of a rule is the name of the file that its check stands in."""

from wa_audit.rule import Resource, Verdict, check, failed, not_applicable, passed


@check("AWS::Kinesis::Stream")
def house_stream_retention(stream: Resource, *, least_hours: int, team: str) -> Verdict:
    """Passes where a stream of the team keeps its records for at least `least_hours`.

    Streams of other teams, by the tag `team`, are left alone.
    """
    if stream.tags.get("team") != team:
        return not_applicable(f"is not the {team} team's")

    hours = stream["RetentionPeriodHours"]
    if hours < least_hours:
        return failed(f"keeps its records for {hours} hours", RetentionPeriodHours=hours)
    return passed(f"keeps its records for {hours} hours", RetentionPeriodHours=hours)
