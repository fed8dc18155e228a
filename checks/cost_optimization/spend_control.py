"""What a single run can cost has a limit."""

from wa_audit.rule import Inventory, Resource, Verdict, check, failed, not_applicable, passed


@check("AWS::Athena::WorkGroup")
def athena_workgroup_scan_limit(workgroup: Resource, inventory: Inventory, *, most_bytes: int) -> Verdict:
    """Passes where a query is cancelled at 1 TB (most_bytes) scanned or earlier (BytesScannedCutoffPerQuery).

    The bytes scanned until then are billed all the same, and a workgroup's data usage alert only notifies.
    Workgroups for Spark, and those assigned to a capacity reservation, are billed by the DPU and not judged.
    """
    configuration = workgroup["Configuration"] or {}
    engine = configuration.get("EngineVersion") or workgroup["EngineVersion"] or {}
    name = engine.get("EffectiveEngineVersion") or engine.get("SelectedEngineVersion") or ""
    if "spark" in name.lower():
        return not_applicable(f"runs {name}", EngineVersion=name)
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff <= most_bytes:
        return passed(f"cancels queries at {cutoff} bytes scanned", BytesScannedCutoffPerQuery=cutoff)
    if reservation := _reservation(workgroup, inventory):
        return not_applicable("runs on a capacity reservation", CapacityReservation=reservation)
    if cutoff is None:
        return failed("sets no limit on what a query may scan", BytesScannedCutoffPerQuery=None)
    return failed(
        f"lets a query scan {cutoff} bytes, more than {most_bytes}", BytesScannedCutoffPerQuery=cutoff
    )


def _reservation(workgroup: Resource, inventory: Inventory) -> str | None:
    """The capacity reservation in force that the workgroup is assigned to."""
    for reservation in inventory.of("AWS::Athena::CapacityReservation", region=workgroup.region):
        if reservation["Status"] not in ("CANCELLED", "FAILED"):
            for assignment in reservation["CapacityAssignments"] or ():
                if workgroup.name in (assignment.get("WorkGroupNames") or ()):
                    return reservation.name
    return None
