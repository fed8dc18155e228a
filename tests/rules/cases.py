"""Turns a rule's case, written as YAML, into an inventory.

    - name: an old queue
      status: fail
      message: stores its messages without server-side encryption   # the whole message, or a part of it
      severity: low                       # only where the check overrides the rule's own
      params: {most_receives: 3}          # only where the case changes thresholds
      run: {regions: [eu-west-1]}         # only where the run's facts matter
      resource: {name: orders, tags: {team: data}, data: {SqsManagedSseEnabled: false}}
      others:
        - {type: AWS::Lambda::Function, name: consumer, data: {Timeout: 30}}
      unread: [sqs:GetQueueAttributes]    # refused calls: a list call's resources are then not there, and of
                                        # the judged one, nothing that the list gives is known
      evidence: {SqsManagedSseEnabled: false}   # a part of the evidence
      waste: {confidence: measured, uses: {kinesis/shard: 1460}}   # of a failure: how sure, and units a month
      saves: 60                         # of a failure: the percentage of emissions

A field that is not written is not configured. ARNs are built as the collector builds them, unless `arn` is
given; types whose list names the ARN get one of the usual form.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from wa_audit.collect.kinds import Kind, by_type
from wa_audit.inventory import ACCOUNT_TYPE, Inventory, Run
from wa_audit.model import Gap, Reason, Resource

ACCOUNT = "123456789012"
REGION = "eu-west-1"
RUN = {
    "account": ACCOUNT,
    "regions": (REGION,),
    "started": "2026-11-01T12:00:00Z",
    "finished": "2026-11-01T12:00:00Z",
    "metrics_days": 14,
}
FOLDER = Path(__file__).parent

# ARNs of types that AWS names in full.
_ARNS = {
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::SNS::Subscription": "arn:aws:sns:{region}:{account}:topic:{name}",
    "AWS::Events::EventBus": "arn:aws:events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::CloudWatch::CompositeAlarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::CloudFormation::Stack": "arn:aws:cloudformation:{region}:{account}:stack/{name}/0000",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
    "AWS::KMS::Alias": "arn:aws:kms:{region}:{account}:{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::{account}:policy/{name}",
}


def load(path: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    return cases


def build(case: dict[str, Any], type_: str) -> tuple[Resource, Inventory]:
    """The judged resource and the inventory around it."""
    run = Run(**{**RUN, **case.get("run", {})})
    judged = resource(type_, case.get("resource", {}), run)
    others = [resource(other["type"], other, run) for other in case.get("others", ())]
    everything = {r.arn: r for r in [judged, *others]}
    if not any(r.type == ACCOUNT_TYPE for r in everything.values()):
        account = resource(ACCOUNT_TYPE, {"name": ACCOUNT}, run)
        everything[account.arn] = account
    gaps = [gap for read in case.get("unread", ()) for gap in deny(read, list(everything.values()))]
    refused = {gap.type for gap in gaps}
    for gap in gaps:
        if gap.type == type_ and type_ in by_type():
            _refuse(judged, by_type()[type_].list.fields, gap.operation, gap.reason)
    kept = [r for r in everything.values() if r is judged or r.type not in refused]
    return judged, Inventory(run, kept, gaps)


def resource(type_: str, row: dict[str, Any], run: Run) -> Resource:
    """One resource of a case, checked against the fields that its kind can have."""
    kind = by_type().get(type_)
    name = str(row.get("name", "thing"))
    region = row.get("region", "" if kind and kind.scope == "global" and not kind.region else REGION)
    if type_ == ACCOUNT_TYPE:
        return Resource(
            type=type_,
            arn=f"arn:aws:iam::{run.account}:root",
            name=run.account,
            account=run.account,
            data=dict(row.get("data", {})),
        )
    assert kind is not None, f"no kind of type {type_}"
    data = dict(row.get("data", {}))
    if "tags" in row:
        data["Tags"] = row["tags"]
    strange = set(data) - kind.fields
    assert not strange, f"{type_} has no field {sorted(strange)}; it has {sorted(kind.fields)}"
    if kind.name.isidentifier() and kind.name.endswith(("Name", "Id", "name")):
        data.setdefault(kind.name, name)
    arn = row.get("arn") or _arn(kind, name, region, run, data)
    for field in re.findall(r"\{(\w+)\}", kind.arn):
        if field in kind.fields and kind.arn == f"{{{field}}}":
            data.setdefault(field, arn)
    return Resource(type=type_, arn=arn, name=name, account=run.account, region=region, data=data)


def _arn(kind: Kind, name: str, region: str, run: Run, data: dict[str, Any]) -> str:
    template = _ARNS.get(kind.type, kind.arn)
    context = {"partition": run.partition, "account": run.account, "region": region, "name": name}
    return template.format(**{**dict.fromkeys(kind.fields, name), **data, **context})


def deny(read: str, resources: list[Resource], reason: Reason = Reason.ACCESS_DENIED) -> list[Gap]:
    """Refuses an operation: lists become gaps (returned), details become gaps of their resources.

    A refused list loses its resources, as it does in an account; the caller drops them.
    """
    gaps = []
    for kind in by_type().values():
        if kind.operation(kind.list) == read:
            gaps.append(Gap(type=kind.type, operation=read, action=read, reason=reason, region=REGION))
        for call in kind.details:
            if kind.operation(call) == read:
                for found in resources:
                    if found.type == kind.type:
                        _refuse(found, call.fields, read, reason)
    return gaps


def _refuse(found: Resource, fields: tuple[str, ...], read: str, reason: Reason) -> None:
    for field in fields:
        found.data.pop(field, None)
    gap = Gap(
        type=found.type,
        operation=read,
        action=read,
        reason=reason,
        region=found.region,
        arn=found.arn,
        fields=fields,
    )
    found.gaps = (*found.gaps, gap)
