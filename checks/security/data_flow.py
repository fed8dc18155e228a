"""Data is as well kept where it arrives as where it came from."""

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

_SENDS = ("delivers-to", "triggers", "replicates-to", "backs-up-to")
# The service in an ARN → how the name of its VPC endpoint ends.
# https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
_ENDPOINTS = {
    "dynamodb": "dynamodb",
    "firehose": "kinesis-firehose",
    "kinesis": "kinesis-streams",
    "s3": "s3",
    "sns": "sns",
    "sqs": "sqs",
    "states": "states",
}


@check("AWS::S3::Bucket")
def flow_encryption_kept(bucket: Resource, inventory: Inventory) -> Verdict:
    """A bucket encrypts with a customer's own key where what it is filled from does.

    Looks one step back: at the streams, queues, topics, tables and buckets from which data is delivered,
    replicated or written into this one.
    """
    keyed = [o for o in neighbours.origins(bucket, inventory) if neighbours.own_keys(o, inventory)]
    if not keyed:
        return not_applicable("is filled from nothing that encrypts with a key of its own")

    names = ", ".join(origin.name for origin in keyed)
    if neighbours.own_keys(bucket, inventory):
        return passed(f"encrypts with a key of its own, as {names} does", origins=[o.arn for o in keyed])
    return failed(
        f"takes in data of {names}, which encrypts with a key of its own, and has none",
        origins=[o.arn for o in keyed],
        Encryption=bucket["Encryption"],
    )


@check(
    "AWS::Events::Rule",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::Function",
    "AWS::Pipes::Pipe",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
)
def flow_stays_home(
    source: Resource, inventory: Inventory, *, trusted_accounts: list[str], trusted_regions: list[str]
) -> Verdict:
    """Data goes to this account and region, or to those that were named.

    Fails where a target is in an account that `trusted_accounts` does not name, or, but for replication,
    which is meant to leave, in a region that `trusted_regions` does not name. A bucket that is not among
    this account's is another's.
    """
    sent = {(r.target, r.kind) for r in inventory.targets(source, *_SENDS)}
    if not sent:
        return not_applicable("sends nothing on")

    foreign = sorted({arn for arn, _ in sent if not _is_ours(arn, inventory, trusted_accounts)})
    if foreign:
        return failed(f"sends data to another account: {arns.parse(foreign[0]).name}", targets=foreign)
    at_home = ("", source.region, *trusted_regions)
    abroad = sorted(
        {arn for arn, kind in sent if kind != "replicates-to" and _region(arn, inventory) not in at_home}
    )
    if abroad and source.region:
        place = _region(abroad[0], inventory)
        return failed(f"sends data to {place}", severity="medium", targets=abroad)
    return passed("sends data nowhere but home", targets=sorted({arn for arn, _ in sent}))


def _is_ours(arn: str, inventory: Inventory, trusted_accounts: list[str]) -> bool:
    if not arn.startswith("arn:"):
        return True
    return neighbours.account_of(arn, inventory) in (inventory.run.account, *trusted_accounts)


def _region(arn: str, inventory: Inventory) -> str:
    found = inventory.get(arn)
    return found.region if found else arns.parse(arn).region


@check("AWS::Lambda::Function")
def lambda_reaches_services_privately(function: Resource, inventory: Inventory) -> Verdict:
    """A function in a VPC reaches the services that its pipeline uses through VPC endpoints.

    Looks at S3, DynamoDB, SQS, SNS, Kinesis, Firehose and Step Functions, where the function's destinations
    or settings name them, and at the available endpoints of its VPC. Without one the calls leave by a NAT
    gateway, or not at all. Whether the subnets' route tables use a gateway endpoint is another rule's.
    """
    vpc = (function["VpcConfig"] or {}).get("VpcId")
    if not vpc:
        return not_applicable("is not in a VPC")
    used = {r.target for r in inventory.targets(function, "uses", "delivers-to", "dead-letters-to")}
    needed = {_ENDPOINTS[service] for arn in used if (service := arns.parse(arn).service) in _ENDPOINTS}
    if not needed:
        return not_applicable("uses no service that its configuration names")

    there = {
        endpoint["ServiceName"].rpartition(".")[2]
        for relation in inventory.targets(function, "reaches-through")
        if (endpoint := inventory.find("AWS::EC2::VPCEndpoint", relation.target)) is not None
    }
    missing = sorted(needed - there)
    if missing:
        return failed(
            f"reaches {', '.join(missing)} without an endpoint in {vpc}", missing=missing, VpcId=vpc
        )
    return passed(f"reaches {', '.join(sorted(needed))} through endpoints", VpcId=vpc)


@check("AWS::IAM::Role")
def iam_role_reach(role: Resource, inventory: Inventory) -> Verdict:
    """A role names in its policies only what those that run as it work with.

    Looks at the buckets, queues, topics, tables, streams, functions and state machines of this account that
    its policies name in full, and at what the configuration of its runners names: triggers,
    destinations, sources, settings, definitions. What code names by itself nobody can see, so this is a low
    finding: a reason to ask. Wildcards are other rules'.
    """
    runners = [
        neighbours.look_up(relation.source, inventory) for relation in inventory.sources(role, "runs-as")
    ]
    found = [runner for runner in runners if runner is not None]
    if not found:
        return not_applicable("nothing scanned runs as it")

    allowed = {r.target for r in inventory.targets(role, "may-read", "may-write")}
    flowing = {arn for arn in allowed if arns.parse(arn).service in _ENDPOINTS}
    # Itself is not asked about: a Distributed Map starts the state machine that it is part of.
    flowing -= {runner.arn for runner in found}
    named = {arn for arn in flowing if neighbours.look_up(arn, inventory) is not None}
    if not named:
        return not_applicable("names no resource of a flow in full")
    needed = named & neighbours.touched_by(found, inventory)
    if idle := sorted(named - needed):
        allows = neighbours.actions_on(role, inventory)
        names = ", ".join(f"{arns.parse(arn).name} ({', '.join(allows[arn])})" for arn in idle)
        return failed(
            f"may touch {len(named)} resources, and works with {len(needed)} of them "
            f"({100 * len(needed) // len(named)} %); not with {names}",
            reach=len(named),
            need=len(needed),
            idle={arn: allows[arn] for arn in idle},
        )
    return passed(f"works with all of the {len(named)} resources that it may touch", reach=sorted(named))
