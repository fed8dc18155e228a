"""Neighbours in a flow keep pace with each other."""

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

_WRITES = ("uses", "writes-to", "delivers-to")


@check("AWS::DynamoDB::Table")
def dynamodb_writers_fit_capacity(table: Resource, inventory: Inventory, *, most_writers: int) -> Verdict:
    """A table with a fixed write capacity has no more than `most_writers` writers.

    Fixed is what is provisioned without a scaling target for writes. Writers are the functions, rules and
    state machines whose configuration names the table; together they throttle each other as soon as they are
    busy at once.
    """
    if (table["BillingModeSummary"] or {}).get("BillingMode") == "PAY_PER_REQUEST":
        return not_applicable("takes writes on demand")
    scaled = neighbours.scaling_targets(table.region, inventory)
    if target := scaled.get((f"table/{table.name}", "dynamodb:table:WriteCapacityUnits")):
        return not_applicable("scales its write capacity", MaxCapacity=target["MaxCapacity"])

    writers = sorted({r.source for r in inventory.sources(table, *_WRITES)})
    names = ", ".join(arns.parse(arn).name for arn in writers)
    units = (table["ProvisionedThroughput"] or {}).get("WriteCapacityUnits")
    if len(writers) > most_writers:
        return failed(
            f"shares {units} write units among {len(writers)} writers: {names}",
            writers=writers,
            WriteCapacityUnits=units,
        )
    return passed(f"has {len(writers)} writers for {units} write units", WriteCapacityUnits=units)
