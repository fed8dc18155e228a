"""A flow is watched along its whole way."""

from wa_audit.rule import Inventory, Resource, Verdict, check, failed, neighbours, not_applicable, passed

_STAGES = (
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::Function",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)
_LINKS = ("triggers", "starts", "delivers-to", "reads-from")


@check(*_STAGES)
def pipeline_stage_watched(stage: Resource, inventory: Inventory) -> Verdict:
    """A stage is watched where the stages next to it are.

    Watched is what an alarm looks at, or whose failures an EventBridge rule tells of. Says nothing where
    nothing next to it is watched: there nobody has begun, and the rules on single alarms speak.
    """
    if _is_watched(stage, inventory):
        return passed("is watched")
    near = {r.source for kind in _LINKS for r in inventory.sources(stage, kind)}
    near |= {r.target for kind in _LINKS for r in inventory.targets(stage, kind)}
    found = [neighbours.look_up(arn, inventory, among=_STAGES) for arn in sorted(near)]
    watched = [other for other in found if other is not None and _is_watched(other, inventory)]
    if watched:
        names = ", ".join(other.name for other in watched)
        return failed(
            f"is watched by nobody, between stages that are: {names}", watched=[o.arn for o in watched]
        )
    return not_applicable("stands next to nothing that is watched")


def _is_watched(stage: Resource, inventory: Inventory) -> bool:
    return inventory.has_source(stage, "watches") or inventory.has_source(stage, "told-of")
