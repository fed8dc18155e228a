"""Nobody pays for a stage that nothing leads to."""

from wa_audit.rule import Inventory, Resource, Verdict, check, failed, not_applicable, passed, wasted


@check("AWS::StepFunctions::StateMachine")
def sfn_triggered(machine: Resource, inventory: Inventory) -> Verdict:
    """Something found sets the state machine off: a rule, schedule, pipe, IoT rule, or another machine.

    One that is only started by hand or by a program of one's own is not wrong; one that nothing starts any
    more is what is left of a pipeline. So it is a finding for information, and weighs nothing.
    """
    if machine["status"] == "DELETING":
        return not_applicable("is being deleted", status="DELETING")
    for kind in ("triggers", "starts", "delivers-to"):
        if inventory.has_source(machine, kind):
            return passed("is set off", by=sorted(r.source for r in inventory.sources(machine, kind)))
    return failed(
        "is set off by nothing that was found",
        waste=wasted.nothing("a state machine is paid for by what it runs"),
    )
