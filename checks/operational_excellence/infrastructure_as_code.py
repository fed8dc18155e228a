"""What runs is described by code, and the code's deployments are sound."""

import re
from fnmatch import fnmatchcase, translate

from wa_audit.rule import (
    ACCOUNT_TYPE,
    FLOW_TYPES,
    PIPELINE_TYPES,
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    not_applicable,
    passed,
    times,
)

# Made by a service or a tool for itself.
_DEFAULTS = {
    "AWS::Athena::WorkGroup": ("primary",),
    "AWS::S3::Bucket": ("aws-glue-assets-*", "cdk-*"),
}
_OWN_TAGS = ("aws:cloudformation:", "aws:cdk", "aws:servicecatalog:")


@check(ACCOUNT_TYPE)
def iac_coverage(
    account: Resource,
    inventory: Inventory,
    *,
    least_percent: float,
    poor_percent: float,
    fewest_resources: int,
    iac_tags: list[str],
) -> Verdict:
    """Passes where at least 90 % (least_percent) of the pipeline resources are managed as code.

    Looks at queues, functions, streams, Firehose streams, Glue jobs, state machines, tables, buckets, EMR
    clusters and workgroups in the audited regions. One is managed where a CloudFormation stack holds it, or
    else where it bears a tag of CloudFormation, the CDK or Service Catalog, or one of the tags of `iac_tags`
    (`key=value`, with wildcards, in any case). Tags are asked for only where stacks alone do not suffice, and
    only of resources that no stack holds; Terraform leaves no mark of its own, so its resources need such a
    tag. What services make for themselves (workgroup primary, aws-glue-assets-*, cdk-*) is left out. Below
    50 % (poor_percent) the failure is high. Accounts with fewer than 5 (fewest_resources) are not judged.
    """
    found = [r for type_ in PIPELINE_TYPES for r in inventory.of(type_) if not _made_by_a_service(r)]
    total = len(found)
    if total < fewest_resources:
        return not_applicable(f"has {total} pipeline resources, too few to judge", total=total)

    held = _held_by_stacks(inventory)
    loose = [r for r in found if (r.type, r.region, arns.parse(r.arn).name) not in held]
    if 100 * (total - len(loose)) < least_percent * total:
        mark = re.compile("|".join(translate(wanted.lower()) for wanted in iac_tags) or "(?!)")
        loose = [r for r in loose if not _is_marked(r, mark)]

    percent = round(100 * (total - len(loose)) / total)
    evidence = {"managed": total - len(loose), "total": total, "unmanaged": [r.arn for r in loose[:10]]}
    if 100 * (total - len(loose)) >= least_percent * total:
        return passed(f"manages {percent} % of {total} pipeline resources as code", **evidence)
    return failed(
        f"manages {percent} % of {total} pipeline resources as code, less than {least_percent:g} %",
        severity="high" if 100 * (total - len(loose)) < poor_percent * total else None,
        **evidence,
    )


def _made_by_a_service(resource: Resource) -> bool:
    return any(fnmatchcase(resource.name, name) for name in _DEFAULTS.get(resource.type, ()))


def _held_by_stacks(inventory: Inventory) -> set[tuple[str, str, str]]:
    """Type, region and name of everything that a stack holds; a physical id is a name, a URL or an ARN."""
    held = set()
    for stack in inventory.of("AWS::CloudFormation::Stack"):
        for part in stack["Resources"] or ():
            if part.get("ResourceStatus") not in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                name = (part.get("PhysicalResourceId") or "").replace("/", ":").rpartition(":")[2]
                type_ = part["ResourceType"].replace("::GlobalTable", "::Table")
                held.add((type_, stack.region, name))
    return held


def _is_marked(resource: Resource, mark: re.Pattern[str]) -> bool:
    return any(
        key.startswith(_OWN_TAGS) or mark.match(f"{key}={value}".lower())
        for key, value in resource.tags.items()
    )


@check("AWS::CloudFormation::Stack")
def cloudformation_stack_healthy(stack: Resource) -> Verdict:
    """Passes where the stack's last operation ended well or is under way.

    Fails on a status that ends in _FAILED, and on ROLLBACK_COMPLETE, whose stack can only be deleted.
    UPDATE_ROLLBACK_COMPLETE works and has not got what was deployed last: a mild failure.
    """
    status = stack["StackStatus"] or ""
    if status.endswith("_FAILED") or status == "ROLLBACK_COMPLETE":
        return failed(f"is in {status}", StackStatus=status)
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return failed(
            "went back to its former state when it was last updated", severity="low", StackStatus=status
        )
    return passed(f"is in {status}", StackStatus=status)


@check("AWS::CloudFormation::Stack")
def cloudformation_drift(stack: Resource, inventory: Inventory, *, most_days: int) -> Verdict:
    """A stack that holds stages of a pipeline was looked at for drift within `most_days` days, and had none.

    Informational where nobody has looked (NOT_CHECKED), low where the look is older. wa-audit starts no drift
    detection: it is slow, and no reading. Says nothing of stacks that are gone, that hold nothing a flow is
    made of, and of nested ones, which their root answers for.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    """
    if (stack["StackStatus"] or "").startswith("DELETE_"):
        return not_applicable(f"is in {stack['StackStatus']}")
    if stack["ParentId"]:
        return not_applicable("is nested in another stack")
    if not any(row.get("ResourceType") in FLOW_TYPES for row in stack["Resources"] or ()):
        return not_applicable("holds nothing that a pipeline is made of")

    drift = stack["DriftInformation"] or {}
    status, looked = drift.get("StackDriftStatus", "NOT_CHECKED"), drift.get("LastCheckTimestamp")
    if status == "DRIFTED":
        return failed("differs from its template", StackDriftStatus=status, LastCheckTimestamp=looked)
    if status != "IN_SYNC" or not looked:
        return failed("was never looked at for drift", severity="info", StackDriftStatus=status)
    days = int(times.hours_between(looked, inventory.run.started) // 24)
    if days > most_days:
        return failed(
            f"was last looked at for drift {days} days ago", severity="low", LastCheckTimestamp=looked
        )
    return passed("is as its template says", StackDriftStatus=status, LastCheckTimestamp=looked)
