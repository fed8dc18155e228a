"""A flow is watched along its whole way."""

from collections.abc import Callable, Mapping

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    firehose,
    neighbours,
    not_applicable,
    passed,
)

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
    """A stage has the alarm, the log and the trace that the stages next to it have.

    - alarm: an alarm looks at it, or an EventBridge rule tells of its failures; every stage can have one;
    - log: a state machine's level is not OFF, a delivery stream logs its errors. A function always logs;
    - trace: X-Ray is active for a function or state machine. Queues and streams pass a trace on.

    Says nothing where nothing next to it has any: there nobody has begun, and the rules on single alarms,
    logs and traces speak.
    """
    near = {r.source for r in inventory.sources(stage, *_LINKS)}
    near |= {r.target for r in inventory.targets(stage, *_LINKS)}
    found = [neighbours.look_up(arn, inventory, among=_STAGES) for arn in sorted(near)]
    others = [other for other in found if other is not None]

    own = {name: means(stage, inventory) for name, means in _MEANS.items()}
    has = [name for name, there in own.items() if there]
    missing: dict[str, str] = {}
    for name in [name for name, there in own.items() if there is False] if others else ():
        if other := next((other.name for other in others if _MEANS[name](other, inventory)), ""):
            missing[name] = other
    if missing:
        wanted = ", ".join(f"no {name}, which {other} next to it has" for name, other in missing.items())
        return failed(f"has {wanted}", missing=sorted(missing), watched=sorted({*missing.values()}))
    if has:
        return passed(f"is watched as what stands next to it: {', '.join(has)}", means=has)
    return not_applicable("stands next to nothing that is watched")


def _alarm(stage: Resource, inventory: Inventory) -> bool | None:
    return inventory.has_source(stage, "watches") or inventory.has_source(stage, "told-of")


def _log(stage: Resource, inventory: Inventory) -> bool | None:
    """Whether a stage logs; None for what has no log to switch on."""
    if stage.type == "AWS::StepFunctions::StateMachine":
        return bool((stage["loggingConfiguration"] or {}).get("level", "OFF") != "OFF")
    if stage.type == "AWS::KinesisFirehose::DeliveryStream":
        return firehose.logs_errors(stage["Destinations"])
    return None


def _trace(stage: Resource, inventory: Inventory) -> bool | None:
    """Whether X-Ray traces a stage; None for what cannot be traced."""
    if stage.type == "AWS::StepFunctions::StateMachine":
        return bool((stage["tracingConfiguration"] or {}).get("enabled"))
    if stage.type == "AWS::Lambda::Function":
        return bool((stage["TracingConfig"] or {}).get("Mode") == "Active")
    return None


_MEANS: Mapping[str, Callable[[Resource, Inventory], bool | None]] = {
    "alarm": _alarm,
    "log": _log,
    "trace": _trace,
}
