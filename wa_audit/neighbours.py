"""What stands next to a resource in a data flow: questions that rules ask of an inventory's relations.

Each answer is whole, or raises `Unread` where something that could change it was not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from wa_audit.aws import arns, policy
from wa_audit.inventory import Inventory
from wa_audit.layers import LAYERS
from wa_audit.model import Reason, Resource, Unread

_KNOWN = frozenset((*LAYERS, "AWS::KMS::Key"))
_FILLS = ("delivers-to", "writes-to", "replicates-to", "backs-up-to")
_TOUCHES = (
    *_FILLS,
    "triggers",
    "starts",
    "transforms-with",
    "reads-from",
    "uses",
    "dead-letters-to",
    "scratches-in",
    "logs-to",
)


def look_up(arn: str, inventory: Inventory, *, among: Collection[str] = ()) -> Resource | None:
    """The resource of an ARN; None where it does not exist, lies elsewhere, or is of no type `among` these.

    Without `among`, of any type that can stand in a flow, or a KMS key.

    Raises:
        Unread: nobody could look.
    """
    there = inventory.get(arn)
    if there is not None:
        return there if there.type in (among or _KNOWN) else None
    type_ = arns.type_of(arn)
    if type_ not in (among or _KNOWN):
        return None
    try:
        return inventory.find(type_, arn)
    except Unread as unread:
        if unread.gap.reason is Reason.OUT_OF_SCOPE:
            return None
        raise


def mappings_of(stream: Resource, inventory: Inventory) -> list[Resource]:
    """The event source mappings that read a stream, by itself or by one of its consumers, on or off.

    Raises:
        Unread: they could not be listed.
    """
    listed = inventory.of("AWS::Lambda::EventSourceMapping", region=stream.region)

    def make() -> dict[str, list[Resource]]:
        index: dict[str, list[Resource]] = {}
        for mapping in listed:
            source = (mapping["EventSourceArn"] or "").partition("/consumer/")[0]
            index.setdefault(source, []).append(mapping)
        return index

    index: dict[str, list[Resource]] = inventory.derived(f"mappings in {stream.region}", make)
    return index.get(stream.arn, [])


def scaling_targets(region: str, inventory: Inventory) -> Mapping[tuple[str, str], Resource]:
    """What Application Auto Scaling scales in a Region, by the resource's id and the dimension.

    Raises:
        Unread: the targets could not be listed.
    """
    listed = inventory.of("AWS::ApplicationAutoScaling::ScalableTarget", region=region)

    def make() -> dict[tuple[str, str], Resource]:
        return {(target["ResourceId"], target["ScalableDimension"]): target for target in listed}

    index: Mapping[tuple[str, str], Resource] = inventory.derived(f"scaling targets in {region}", make)
    return index


def is_gone(arn: str, inventory: Inventory) -> bool:
    """Whether an ARN of this account and these regions names what certainly does not exist.

    What lies elsewhere, and what is of a type that no flow knows, is nobody's finding. A bucket that is not
    here may be another account's.
    """
    type_, parsed = arns.type_of(arn), arns.parse(arn)
    run = inventory.run
    if (
        type_ not in LAYERS
        or type_ == "AWS::S3::Bucket"
        or parsed.account != run.account
        or parsed.region not in run.regions
    ):
        return False
    return inventory.find(type_, arn) is None


def account_of(arn: str, inventory: Inventory) -> str:
    """The account that an ARN's resource is in; empty where nothing says which."""
    if inventory.get(arn) is not None:
        return inventory.run.account
    parsed = arns.parse(arn)
    if parsed.service == "s3" and not parsed.account:
        # Raises where buckets could not be listed: then nobody knows.
        found = inventory.find("AWS::S3::Bucket", arn)
        return found.account if found else ""
    return parsed.account


def origins(store: Resource, inventory: Inventory) -> list[Resource]:
    """The stores and streams that what fills a store takes its data from: one mover away."""
    found: dict[str, Resource] = {}
    for kind in _FILLS:
        for relation in inventory.sources(store, kind):
            mover = look_up(relation.source, inventory)
            if mover is None:
                continue
            feeds = [r.source for r in inventory.sources(mover, "triggers")]
            feeds += [r.target for r in inventory.targets(mover, "reads-from")]
            for arn in (mover.arn, *feeds):
                origin = look_up(arn, inventory)
                if origin is not None and origin.arn != store.arn:
                    found[arn] = origin
    return [found[arn] for arn in sorted(found)]


def zones(resource: Resource, inventory: Inventory) -> list[str]:
    """The Availability Zones of the subnets that a resource is placed in, sorted."""
    placed = inventory.targets(resource, "placed-in")
    subnets = [inventory.find("AWS::EC2::Subnet", relation.target) for relation in placed]
    return sorted({str(subnet["AvailabilityZone"]) for subnet in subnets if subnet is not None})


def own_keys(resource: Resource, inventory: Inventory) -> list[str]:
    """The ARNs of the customer's own KMS keys that a resource encrypts with; AWS's managed keys are none."""
    found = []
    for relation in inventory.targets(resource, "encrypts-with"):
        key = look_up(relation.target, inventory)
        if ":alias/aws/" not in relation.target and (key is None or key["KeyManager"] != "AWS"):
            found.append(relation.target)
    return found


def actions_on(role: Resource, inventory: Inventory) -> dict[str, list[str]]:
    """By the ARN of each resource that a role's policies name in full: the actions that they allow on it."""
    found: dict[str, list[str]] = {}
    for document in _documents(role, inventory):
        for arn, actions in policy.named(document).items():
            own = found.setdefault(arn, [])
            own += [action for action in actions if action not in own]
    return found


def may_be_allowed(role: Resource, action: str, arn: str, inventory: Inventory) -> bool:
    """Whether any statement speaks for it that a role does `action` on the ARN, or on objects in that bucket.

    Generous: conditions, boundaries and denials are not looked at, nor whom the statements of the target's
    own policy speak of. Where it says no, IAM does too.

    Raises:
        Unread: a policy could not be read.
    """
    if None in _attached(role, inventory):
        return True
    documents = _documents(role, inventory)
    wanted = f"{arn}/*" if arns.parse(arn).service == "s3" else arn
    if any(_speaks_of(document, action, wanted) for document in documents):
        return True
    target = look_up(arns.whole(arn), inventory)
    return target is None or _speaks_of(target["Policy"], action, wanted)


def _speaks_of(document: object, action: str, arn: str) -> bool:
    return any(s.allows and s.action(action) and s.resource(arn) for s in policy.parse(document))


def works_with(instance: Resource, services: Collection[str], inventory: Inventory) -> str:
    """By what an EC2 instance's role may act in one of these services, by IAM's names; empty where not.

    What a policy allows without end (`*`) says nothing about what the instance is for.

    Raises:
        Unread: the instance profiles, or the role's policies, could not be read.
    """
    profile = inventory.find("AWS::IAM::InstanceProfile", (instance["IamInstanceProfile"] or {}).get("Arn"))
    for arn in (profile["Roles"] if profile else None) or ():
        role = inventory.find("AWS::IAM::Role", arn)
        for document in _documents(role, inventory) if role else ():
            for statement in policy.parse(document):
                for action in statement.actions if statement.allows and not statement.other_actions else ():
                    if action.partition(":")[0].lower() in services:
                        return f"role {arn.rpartition('/')[2]} may {action}"
    return ""


def _documents(role: Resource, inventory: Inventory) -> list[object]:
    """A role's policies, its own and those attached to it; None for one whose document is not known."""
    own: list[object] = [row.get("PolicyDocument") for row in role["RolePolicyList"] or ()]
    return own + [found["Document"] if found else None for found in _attached(role, inventory)]


def _attached(role: Resource, inventory: Inventory) -> list[Resource | None]:
    """The managed policies of a role; None for one that was not read."""
    rows = role["AttachedManagedPolicies"] or ()
    return [inventory.find("AWS::IAM::ManagedPolicy", row.get("PolicyArn")) for row in rows]


def plain_tags(resource: Resource) -> dict[str, str]:
    """A resource's tags in lower case, as people write them in any.

    Raises:
        Unread: its tags could not be read.
    """
    return {key.lower(): value.lower() for key, value in resource.tags.items()}


def plain_tag(resource: Resource, key: str) -> str:
    """The value of one of its tags, both in lower case; empty where there is none. Raises as `plain_tags`."""
    key = key.lower()
    found = [value for own, value in resource.tags.items() if own.lower() == key]
    return found[-1].lower() if found else ""


def is_critical(resource: Resource, key: str = "criticality") -> bool:
    """Whether a resource is tagged criticality=high or critical; `key` is the tag's.

    Raises:
        Unread: its tags could not be read.
    """
    return plain_tag(resource, key) in ("high", "critical")


def is_uncritical(resource: Resource, key: str = "criticality") -> bool:
    """Whether a resource is tagged criticality=low or none, which is more than no tag; as `is_critical`."""
    return plain_tag(resource, key) in ("low", "none")


def is_made_by_aws(resource: Resource) -> bool:
    """Whether it is Athena's workgroup primary, which AWS makes in every Region."""
    return resource.name == "primary" and resource.type == "AWS::Athena::WorkGroup"


def regions_of(types: Iterable[str], inventory: Inventory) -> set[str]:
    """The audited Regions that hold something of these types which AWS has not made by itself.

    Raises:
        Unread: one of the types could not be listed.
    """
    found = (resource for type_ in types for resource in inventory.of(type_))
    return {r.region for r in found if not is_made_by_aws(r)} & set(inventory.run.regions)


def touched_by(runners: Iterable[Resource], inventory: Inventory) -> set[str]:
    """The ARNs of everything that the configuration of these says they work with."""
    found: set[str] = set()
    for runner in runners:
        found |= inventory.around(runner, _TOUCHES)
        for relation in inventory.sources(runner, "triggers"):
            # A mapping gives up on the function's behalf, and with its role.
            found |= {r.target for r in inventory.known_targets(relation.via, "dead-letters-to")}
    return found


_LOADERS = ("AWS::KinesisFirehose::DeliveryStream", "AWS::DataSync::Task", "AWS::IoT::TopicRule")
_RUNNERS = ("AWS::Glue::Job", "AWS::EMR::Cluster")


def loaders(bucket: Resource, inventory: Inventory) -> list[str]:
    """The ARNs of what loads data into a lake: what delivers there, and jobs and clusters that may write."""
    found = {r.source for r in inventory.sources(bucket, "delivers-to") if _is_of(r.source, _LOADERS)}
    for relation in inventory.sources(bucket, "may-write"):
        role = inventory.get(relation.source)
        runs = inventory.sources(role, "runs-as") if role is not None else ()
        found |= {run.source for run in runs if _is_of(run.source, _RUNNERS)}
    return sorted(found)


def _is_of(arn: str, types: Collection[str]) -> bool:
    # Layers know no IoT rules: nothing else of IoT delivers anything.
    return (arns.type_of(arn) or ("AWS::IoT::TopicRule" if arns.parse(arn).service == "iot" else "")) in types
