"""Nothing that holds or moves data is open to the world, or to accounts that nobody named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wa_audit.rule import (
    ACCOUNT_TYPE,
    Inventory,
    Resource,
    Verdict,
    buckets,
    check,
    deputies,
    failed,
    firewalls,
    not_applicable,
    not_evaluated,
    passed,
    policy,
)

_FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "AuthenticatedUsers",
}
# What makes a grant to another account's principal a bounded one: the organization, or where it comes from.
_BOUNDS = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
    }
)


@check(ACCOUNT_TYPE)
def s3_account_public_access_block(account: Resource, inventory: Inventory) -> Verdict:
    """The account blocks public access to all its buckets.

    Passes where all four flags of the account's block are on; an account without a block has all four off. A
    policy of the organization that enforces the same from outside the account is not read.
    """
    blocks = inventory.of("AWS::S3::AccountPublicAccessBlock")
    off = [flag for flag in _FLAGS if not any(block[flag] for block in blocks)]
    if off:
        return failed(f"leaves {', '.join(off)} off", **_flags(off, on=False))
    return passed("blocks public access to its buckets in every way", **_flags(_FLAGS, on=True))


@check("AWS::S3::Bucket")
def s3_bucket_public_access_block(bucket: Resource, inventory: Inventory) -> Verdict:
    """A bucket blocks public access, itself or through its account.

    Passes where each of the four flags is on at the bucket or at the account: AWS applies both. Directory
    and table buckets can never be public and are not judged.
    """
    if not buckets.is_general_purpose(bucket.name):
        return not_applicable("is a bucket of a kind that is never public")

    off = [flag for flag in _FLAGS if not _blocks(bucket, inventory, flag)]
    if off:
        return failed(f"leaves {', '.join(off)} off, as its account does", **_flags(off, on=False))
    return passed("blocks public access in every way")


@check("AWS::S3::Bucket")
def s3_bucket_not_public(bucket: Resource, inventory: Inventory) -> Verdict:
    """A bucket is not open to the public, neither by its policy nor by its ACL.

    Fails where AWS itself calls the policy public (PolicyStatus.IsPublic) and RestrictPublicBuckets is off
    at both bucket and account; or where the ACL grants something to AllUsers or AuthenticatedUsers while
    ACLs are in force (ownership is not BucketOwnerEnforced) and IgnorePublicAcls is off at both. The
    permission is named as the ACL gives it. ACLs of single objects are not looked at.
    """
    status = bucket["PolicyStatus"] or {}
    if status.get("IsPublic") and not _blocks(bucket, inventory, "RestrictPublicBuckets"):
        return failed("is public by its policy", IsPublic=True, RestrictPublicBuckets=False)

    for grant in bucket["Grants"] or []:
        group = _GROUPS.get(grant.get("Grantee", {}).get("URI", ""))
        if group and not _disables_acls(bucket) and not _blocks(bucket, inventory, "IgnorePublicAcls"):
            return failed(
                f"grants {grant['Permission']} to {group} by its ACL",
                Grantee=group,
                Permission=grant["Permission"],
                IgnorePublicAcls=False,
            )
    return passed("is not public")


@check("AWS::S3::Bucket")
def s3_bucket_policy_external_access(
    bucket: Resource, inventory: Inventory, *, trusted_accounts: list[str]
) -> Verdict:
    """A bucket's policy lets in no account that nobody named.

    Fails for an Allow to a principal of another account without a condition on the organization
    (aws:PrincipalOrgID), the source (aws:SourceAccount, aws:SourceArn) or the network (aws:SourceVpce,
    aws:SourceVpc). A principal that has been deleted, which AWS shows as an id that starts with AROA or
    AIDA, is low. Accounts named in `trusted_accounts` count as own; which accounts are in the same
    organization is not read, nor is which are AWS's own for log delivery, so name those too. Policies open
    to everyone are judged by s3-bucket-not-public, AWS services by resource-policy-confused-deputy. Whose a
    canonical user id is cannot be told, so that such a grant is not evaluated.
    """
    if bucket["Policy"] is None:
        return not_applicable("has no bucket policy")

    statements = policy.parse(bucket["Policy"])
    own = {inventory.run.account, *trusted_accounts}
    found = policy.exposures(statements, lambda caller: _is_outside(caller, own), _BOUNDS)
    if accounts := [e for e in found if e.principal.kind is policy.Caller.ACCOUNT]:
        return _lets_in(accounts)
    if deleted := [e for e in found if e.principal.kind is policy.Caller.DELETED]:
        return failed(
            f"still names {deleted[0].principal.value}, an identity that was deleted",
            severity="low",
            **_caller(deleted[0]),
        )
    if found:
        return not_evaluated(
            "lets in a canonical user, of whom the account is not known", **_caller(found[0])
        )
    return passed("names no account but known ones")


@check("AWS::Glue::DataCatalogEncryptionSettings")
def glue_catalog_policy_not_public(
    catalog: Resource, inventory: Inventory, *, trusted_accounts: list[str]
) -> Verdict:
    """The Data Catalog's resource policies are open to known accounts alone.

    Fails where one allows Principal "*" without a condition on the caller, its account or its organization,
    or a principal of another account without a condition on the organization or the source. Policies that
    AWS RAM adds for shares are judged too. Accounts named in `trusted_accounts` count as own; which
    accounts are in the same organization is not read, so name those too. No policy passes.
    """
    own = {inventory.run.account, *trusted_accounts}
    statements = [s for document in catalog["ResourcePolicies"] or [] for s in policy.parse(document)]
    found = policy.exposures(statements, lambda caller: _is_outside(caller, own), _BOUNDS)
    if accounts := [e for e in found if e.principal.kind is policy.Caller.ACCOUNT]:
        return _lets_in(accounts)
    return _open_to_all(statements) or passed("is open to known accounts alone")


@check("AWS::Lambda::Function")
def lambda_not_public(function: Resource) -> Verdict:
    """A function cannot be invoked by anyone.

    Fails where its resource policy allows Principal "*" without a condition on the caller or the source
    (aws:SourceArn, aws:SourceAccount, aws:PrincipalOrgID and the like) or lambda:FunctionUrlAuthType
    AWS_IAM. A statement for URLs without authentication (FunctionUrlAuthType NONE, or
    InvokedViaFunctionUrl) counts where the function has such a URL. No policy passes: without one not even
    a URL without authentication lets anyone in. Policies of single versions and aliases are not read.
    """
    statements = policy.parse(function["Policy"])
    narrows = policy.WHO | {"lambda:functionurlauthtype"}
    if exposed := _open_to_all([s for s in statements if not _is_for_open_urls(s)], narrows):
        return exposed
    if not (exposed := _open_to_all(statements, narrows)):
        return passed("can be invoked by named callers alone")
    if all(url["AuthType"] != "NONE" for url in function["FunctionUrlConfigs"] or []):
        return passed("lets everyone in through a function URL without authentication, and has no such URL")
    return exposed


@check("AWS::SQS::Queue")
def sqs_queue_policy_not_public(queue: Resource) -> Verdict:
    """A queue is not open to everyone.

    Fails where its policy allows Principal "*" without a condition whose value names the caller or the
    source: aws:SourceArn, aws:SourceAccount, aws:PrincipalOrgID, aws:PrincipalArn, a VPC or VPC endpoint,
    an address range no wider than /8. Everyone with aws:SourceArn is the usual way to let a topic or a
    bucket in, and passes where the ARN names the bucket or an account. A condition that is not known leaves
    it unjudged.
    """
    if queue["Policy"] is None:
        return not_applicable("has no policy")
    return _open_to_all(policy.parse(queue["Policy"])) or passed("is open to named callers alone")


@check("AWS::SNS::Topic")
def sns_topic_policy_not_public(topic: Resource) -> Verdict:
    """A topic is not open to everyone.

    Fails where its policy allows Principal "*" without a condition whose value names the caller or the
    source: AWS:SourceOwner (as in the policy that AWS gives every new topic), aws:SourceAccount,
    aws:SourceArn, aws:PrincipalOrgID, a VPC or VPC endpoint, an address range no wider than /8. A condition
    that is not known leaves it unjudged.
    """
    return _open_to_all(policy.parse(topic["Policy"])) or passed("is open to named callers alone")


_POLICIES = {
    "AWS::Glue::DataCatalogEncryptionSettings": "ResourcePolicies",
    "AWS::OpenSearchService::Domain": "AccessPolicies",
}


@check(
    "AWS::Events::EventBus",
    "AWS::Glue::DataCatalogEncryptionSettings",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)
def resource_policy_confused_deputy(resource: Resource, *, services_without_source: list[str]) -> Verdict:
    """An AWS service that a resource's policy lets in must say on whose behalf it comes.

    Fails where an Allow of a service principal has no condition that binds it to a source: aws:SourceArn,
    aws:SourceAccount, aws:SourceOrgID, aws:SourceOrgPaths, AWS:SourceOwner (SNS), an encryption context (KMS)
    or lambda:EventSourceToken (Alexa). Conditions are judged by key, operator and value, whatever their case:
    `*`, `...IfExists` and "anything but" bind nothing, nor does one on the service's own name. Low where
    all that binds it is an ARN without an account, such as a bucket's, to which AWS wants aws:SourceAccount
    added. For information where the service is one of `services_without_source`, which send no such keys.

    Says nothing of policies that let in no service. The trust policies of roles, which AWS services take on
    for the account that handed them the role, and the policies of VPC endpoints, through which no service
    comes, are not judged.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    found = resource[_POLICIES.get(resource.type, "Policy")] or []
    documents = found if isinstance(found, list) else [found]
    statements = deputies.told_apart(s for document in documents for s in policy.parse(document))
    if not deputies.lets_in(statements):
        return not_applicable("lets in no AWS service by its policy")

    open_ = deputies.unbound(statements)
    able = [e for e in open_ if e.principal.value not in services_without_source]
    for exposure in able:
        if not exposure.doubtful:
            return failed(_on_behalf_of(exposure, "anybody"), **_caller(exposure))
    half = deputies.half_bound(statements, open_)
    for exposure in half:
        if not exposure.doubtful:
            whom = "whoever owns the source's name, for want of aws:SourceAccount"
            return failed(_on_behalf_of(exposure, whom), severity="low", **_caller(exposure))
    for exposure in (*able, *half):
        return not_evaluated(
            f"lets in {exposure.principal.value} by statement {exposure.statement.label} under a condition "
            "that is not known to bind it",
            **_caller(exposure),
        )
    for exposure in open_:
        return failed(_on_behalf_of(exposure, "anybody"), severity="info", **_caller(exposure))
    return passed("binds each AWS service that it lets in to a source")


def _on_behalf_of(exposure: policy.Exposure, whom: str) -> str:
    return f"lets in {exposure.principal.value} by statement {exposure.statement.label} on behalf of {whom}"


# -- buckets ---------------------------------------------------------------------------------------


def _flags(names: Iterable[str], *, on: bool) -> dict[str, Any]:
    return dict.fromkeys(names, on)


def _blocks(bucket: Resource, inventory: Inventory, flag: str) -> bool:
    """Whether a flag is on at the bucket or at its account."""
    if (bucket["PublicAccessBlock"] or {}).get(flag):
        return True
    return any(account[flag] for account in inventory.of("AWS::S3::AccountPublicAccessBlock"))


def _disables_acls(bucket: Resource) -> bool:
    return any(
        rule.get("ObjectOwnership") == "BucketOwnerEnforced" for rule in bucket["OwnershipControls"] or []
    )


# -- policies --------------------------------------------------------------------------------------


def _open_to_all(
    statements: Iterable[policy.Statement], narrows: frozenset[str] = policy.WHO
) -> Verdict | None:
    found = policy.exposures(statements, policy.is_public, narrows)
    for exposure in found:
        if not exposure.doubtful:
            return failed(f"is open to everyone by statement {exposure.statement.label}", **_caller(exposure))
    for exposure in found:
        return not_evaluated(
            f"is open to everyone by statement {exposure.statement.label} under a condition that is not "
            "known to narrow",
            **_caller(exposure),
        )
    return None


def _is_outside(caller: policy.Principal, own: set[str]) -> bool:
    if caller.kind is policy.Caller.ACCOUNT:
        return caller.account not in own
    return caller.kind in (policy.Caller.DELETED, policy.Caller.CANONICAL)


def _lets_in(found: list[policy.Exposure]) -> Verdict:
    accounts = sorted({exposure.principal.account for exposure in found})
    return failed(
        f"lets in account {', '.join(accounts)} by statement {found[0].statement.label}", **_caller(found[0])
    )


def _is_for_open_urls(statement: policy.Statement) -> bool:
    return statement.allows and any(
        (c.key == "lambda:functionurlauthtype" and {v.upper() for v in c.values} == {"NONE"})
        or (c.key == "lambda:invokedviafunctionurl" and c.values == ("true",))
        for c in statement.conditions
    )


def _caller(exposure: policy.Exposure) -> dict[str, Any]:
    return {
        "Statement": exposure.statement.label,
        "Principal": exposure.principal.value,
        "Condition": sorted({condition.key for condition in exposure.statement.conditions}),
    }


# -- clusters and domains ----------------------------------------------------------------------------


@check("AWS::Redshift::Cluster")
def redshift_cluster_not_public(cluster: Resource, inventory: Inventory) -> Verdict:
    """Passes where the cluster is not publicly accessible.

    Critical where one of its security groups lets everybody in on its port as well, high otherwise: the
    endpoint's name then still leads to a public address.
    """
    if not cluster["PubliclyAccessible"]:
        return passed("is not publicly accessible", PubliclyAccessible=False)
    port = (cluster["Endpoint"] or {}).get("Port", 5439)
    own = firewalls.Ports(port, port)
    for group in cluster["VpcSecurityGroups"] or []:
        arn = inventory.arn_near("AWS::EC2::SecurityGroup", group["VpcSecurityGroupId"], cluster)
        found = inventory.find("AWS::EC2::SecurityGroup", arn)
        if found is not None and any(firewalls.opens(rule, own) for rule in found["IpPermissions"] or []):
            return failed(f"is publicly accessible, and {found.name} lets everybody in", port=port)
    return failed(
        "is publicly accessible, though no security group lets everybody in", severity="high", port=port
    )


@check("AWS::MSK::Cluster")
def msk_not_public(cluster: Resource) -> Verdict:
    """Passes where the brokers have no public addresses (PublicAccess DISABLED, or not set)."""
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless, and reachable from its VPCs alone", ClusterType="SERVERLESS")
    nodes = (cluster["Provisioned"] or {}).get("BrokerNodeGroupInfo") or {}
    access = ((nodes.get("ConnectivityInfo") or {}).get("PublicAccess") or {}).get("Type", "DISABLED")
    if access != "DISABLED":
        return failed("gives its brokers public addresses", PublicAccess=access)
    return passed("gives its brokers no public address", PublicAccess=access)


@check("AWS::OpenSearchService::Domain")
def opensearch_not_public(domain: Resource) -> Verdict:
    """Passes where the domain lies in a VPC, or its access policy names who may call it.

    Fails where it has a public endpoint that its policy opens to everyone: as critical, or as medium where
    fine-grained access control still asks for a password.
    """
    vpc = (domain["VPCOptions"] or {}).get("VPCId")
    if vpc:
        return passed(f"lies in {vpc}", VPCId=vpc)
    found = policy.exposures(policy.parse(domain["AccessPolicies"]), policy.is_public)
    sure = [exposure for exposure in found if not exposure.doubtful]
    if sure and (domain["AdvancedSecurityOptions"] or {}).get("Enabled"):
        return failed("is open to everyone who knows a password", severity="medium", **_caller(sure[0]))
    if sure:
        return failed("is open to everyone", **_caller(sure[0]))
    if found:
        return not_evaluated("is open under a condition that is not known to narrow", **_caller(found[0]))
    return passed("is open to named callers alone")


@check("AWS::EMR::BlockPublicAccessConfiguration")
def emr_block_public_access(configuration: Resource, inventory: Inventory, *, ports: list[int]) -> Verdict:
    """Passes where EMR starts no cluster whose security groups are open to everyone, but for `ports`.

    Port 22 is AWS's own exception. A finding for information where the region has no cluster.
    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-block-public-access.html
    """
    used = inventory.of("AWS::EMR::Cluster", region=configuration.region)
    severity = None if used else "info"
    if not configuration["BlockPublicSecurityGroupRules"]:
        words = "does not block open security groups"
        return failed(words, severity=severity, BlockPublicSecurityGroupRules=False)
    ranges = configuration["PermittedPublicSecurityGroupRuleRanges"] or []
    wide = [r for r in ranges if r["MinRange"] not in ports or r.get("MaxRange", r["MinRange"]) not in ports]
    if wide:
        return failed("permits ports beyond those wanted", severity=severity, ranges=wide)
    return passed("blocks open security groups", ranges=ranges)


@check("AWS::QuickSight::AccountSettings")
def quicksight_public_sharing_off(settings: Resource) -> Verdict:
    """Nobody can share a dashboard with everyone on the internet (PublicSharingEnabled).

    An account that has not subscribed to QuickSight has nothing to judge.
    https://docs.aws.amazon.com/quicksight/latest/user/share-a-dashboard-grant-access-anyone.html
    """
    if settings["PublicSharingEnabled"]:
        return failed("lets dashboards be shared with everyone", PublicSharingEnabled=True)
    return passed("shares no dashboard with everyone", PublicSharingEnabled=False)
