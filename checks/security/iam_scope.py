"""Roles and keys give what a workload needs, to those who need it, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    escalations,
    failed,
    not_applicable,
    not_evaluated,
    passed,
    policy,
)

# Conditions that make a wildcard less than one: on the caller or its organization, and on what is asked for.
# That the resource lies in the account is no limit to what a role can do there.
_NARROWS = (policy.WHAT - policy.OWNER) | {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
    "aws:userid",
}
# Deprecated service policies of EMR, which give it nearly everything.
_DEPRECATED = ("AmazonElasticMapReduceRole", "AmazonElasticMapReduceforEC2Role")

_LOGS_AND_TRACES = ("logs:*", "xray:*")

_Found = TypeVar("_Found")
Find = Callable[[policy.Policies, policy.Policy | None], list[_Found]]


@check("AWS::IAM::Role")
def iam_role_no_admin(role: Resource, inventory: Inventory) -> Verdict:
    """A role that something scanned runs as does not give all actions on all resources.

    Fails for an Allow of Action "*" on all resources in any attached or inline policy, for Allow with
    NotAction, and for "iam:*", with which a role can give itself the rest; so AdministratorAccess,
    PowerUserAccess and IAMFullAccess fail. A Deny counts where it has no conditions and covers the whole
    grant, a permissions boundary where it does not give as much itself. A condition on the caller, its
    organization or the resource's tags takes a statement out; one on the region, on TLS or on the account
    that owns the resource does not; one that is not known leaves the role unjudged. Service-linked roles,
    reserved roles of IAM Identity Center, and roles that nothing scanned runs as are not judged.
    """
    if exempt := _exempt(role, inventory):
        return exempt

    grant = _grant(role, inventory, lambda own, limit: policy.full_grants(own, _NARROWS, limit))
    if isinstance(grant, Verdict):
        return grant
    if grant:
        return failed(f"allows {_given(grant)}, which makes it an administrator", **_evidence(grant))
    return passed("gives no administrator's rights")


@check("AWS::IAM::Role")
def iam_role_no_service_wildcard(role: Resource, inventory: Inventory, *, services: list[str]) -> Verdict:
    """A role that something scanned runs as does not give all actions of a service on all its resources.

    Fails for an Allow of "service:*", or of more, on Resource "*" or on all resources of that service
    (`arn:aws:s3:::*`, `arn:aws:dynamodb:*:*:table/*`; a pattern with a region or an account of its own is
    everything there). Of a service that the table iam_actions.tsv does not hold, all of any kind will do.
    Wildcards within a service such as s3:Get* are not meant, nor are named resources. "logs:*" and "xray:*"
    are low, on whatever resource. Denies, boundaries and conditions count as in iam-role-no-admin.
    AWSGlueServiceRole fails: its document gives glue:* on everything.
    """
    if exempt := _exempt(role, inventory):
        return exempt

    whole = [f"{service}:*" for service in services]
    grant = _grant(role, inventory, lambda own, limit: policy.first_grants(own, whole, _NARROWS, limit))
    if isinstance(grant, Verdict):
        return grant
    if grant:
        return failed(f"allows {_given(grant)}", **_evidence(grant))

    grant = _grant(
        role,
        inventory,
        lambda own, limit: policy.first_grants(own, _LOGS_AND_TRACES, _NARROWS, limit, everywhere=False),
    )
    if isinstance(grant, policy.Grant):
        return failed(f"allows {_given(grant)}", severity="low", **_evidence(grant))
    return grant or passed("gives no service as a whole")


@check("AWS::IAM::Role")
def iam_role_resource_scoped(role: Resource, inventory: Inventory) -> Verdict:
    """A role that something scanned runs as writes, deletes and decrypts on named resources alone.

    Fails where an action that writes, deletes or decrypts data, or reads a secret (`s3:PutObject`,
    `s3:DeleteObject`, `s3:DeleteObjectVersion`, `dynamodb:*Item`, `kinesis:PutRecord`, `sqs:SendMessage`,
    `kms:Decrypt`, `secretsmanager:GetSecretValue`, `redshift-data:ExecuteStatement`, and those of Glue's
    Delete* and Update* to which AWS gives the access level Write) is allowed on all resources, be it through
    a wildcard, without a condition on what is asked for: the resource's tags, account or organization,
    kms:ViaService, an access point. Actions that cannot be given on single resources do not count. Denies
    and boundaries count as in iam-role-no-admin.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
    """
    if exempt := _exempt(role, inventory):
        return exempt

    grant = _grant(role, inventory, lambda own, limit: policy.data_grants(own, policy.WHAT, limit))
    if isinstance(grant, Verdict):
        return grant
    if grant:
        return failed(f"allows {_given(grant)}, data actions without a named resource", **_evidence(grant))
    return passed("writes, deletes and decrypts on named resources alone")


@check("AWS::IAM::Role")
def iam_role_passrole_scoped(role: Resource, inventory: Inventory) -> Verdict:
    """A role that something scanned runs as hands over named roles, or to named services.

    Fails where iam:PassRole is allowed on Resource "*" or on every role (`role/*`) without a condition
    iam:PassedToService that names a service. Wildcards that take in PassRole count, and Denies and
    boundaries as in iam-role-no-admin.
    """
    if exempt := _exempt(role, inventory):
        return exempt

    grant = _grant(
        role, inventory, lambda own, limit: policy.grants(own, "iam:PassRole", policy.PASSED_TO, limit)
    )
    if isinstance(grant, Verdict):
        return grant
    if grant:
        return failed(
            f"may pass any role to any service: allows {_given(grant)} without iam:PassedToService",
            **_evidence(grant),
        )
    return passed("passes no role, or only named roles or to named services")


@check("AWS::IAM::Role")
def iam_role_no_escalation(role: Resource, inventory: Inventory) -> Verdict:
    """A role that something scanned runs as cannot take on rights that it was not given.

    Fails where the role's policies leave a path to more rights open: where it may pass any role to a service
    that runs its own code or calls any API as that role (iam:PassRole with glue:CreateJob and
    glue:StartJobRun, with states:CreateStateMachine, cloudformation:CreateStack and so on), may put its own
    code into what others run (lambda:UpdateFunctionCode, elasticmapreduce:AddJobFlowSteps), or may change
    roles, users, policies and trust, be it only its own role. What is done to others' things must be given on
    all resources, but for conditions on the resource; what is done with one's own may be given on any.
    iam:PassedToService counts by the service that the path needs, and iam:PolicyARN where it leaves out
    AdministratorAccess. Medium where all that is open are paths to data: key, bucket and queue policies,
    grants, Lake Formation, or a role that is handed to a service that copies.

    Administrators, to whom nothing is left to take, are iam-role-no-admin's. Named roles may be passed:
    whether they may do more than this one is not compared. Denies and boundaries count as in
    iam-role-no-admin.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    if exempt := _exempt(role, inventory):
        return exempt

    admin, _ = _within(role, inventory, lambda own, limit: policy.full_grants(own, _NARROWS, limit))
    if any(not grant.doubtful for grant in admin):
        return not_applicable("is an administrator, to whom nothing is left to take")

    itself = {"role": [role.arn], "policy": _own_policies(role)}
    found, unknown = _within(
        role, inventory, lambda own, limit: escalations.openings(own, limit, itself=itself)
    )
    certain = [opening for opening in found if not opening.doubtful]
    rights = [opening for opening in certain if opening.path.kind == "escalation"]
    if rights:
        return failed(f"can take on more rights by {_ways(rights)}", **_paths(rights))
    if found and not certain:
        return not_evaluated(
            f"can take on more rights by {_ways(found)}, under a condition that is not known to narrow",
            **_paths(found),
        )
    if certain and not unknown:
        return failed(f"can open data by {_ways(certain)}", severity="medium", **_paths(certain))
    return unknown or passed("has no path to rights that it was not given")


@check("AWS::IAM::Role")
def iam_role_no_full_access_managed(role: Resource, inventory: Inventory) -> Verdict:
    """A role that something scanned runs as has none of AWS's full-access policies attached.

    Fails for an AWS-managed policy whose name ends in FullAccess (or in a version of it, such as
    FullAccessV2), and for EMR's deprecated AmazonElasticMapReduceRole and AmazonElasticMapReduceforEC2Role.
    AWS's policies for service roles (AWSGlueServiceRole, AWSLambdaBasicExecutionRole,
    AWSLambdaVPCAccessExecutionRole, AmazonEMRServicePolicy_v2) are accepted, and so are policies of the
    account's own, whatever their names: what those give is judged by the other rules on roles.
    """
    if exempt := _exempt(role, inventory):
        return exempt

    for attached in role["AttachedManagedPolicies"] or []:
        name = arns.parse(attached["PolicyArn"]).name
        if arns.parse(attached["PolicyArn"]).account != "aws":
            continue
        if name in _DEPRECATED:
            return failed(f"has the deprecated {name} attached", PolicyArn=attached["PolicyArn"])
        if name.endswith(("FullAccess", "FullAccessV2")):
            return failed(f"has {name} attached", PolicyArn=attached["PolicyArn"])
    return passed("has no full-access policy of AWS's attached")


@check("AWS::IAM::Role")
def iam_role_trust_scoped(role: Resource, inventory: Inventory, *, trusted_accounts: list[str]) -> Verdict:
    """A role that something scanned runs as can be assumed by known callers alone.

    Fails where the trust policy lets in anyone (Principal "*") without a condition that names an account,
    an organization or a caller; a principal of another account without sts:ExternalId or
    aws:PrincipalOrgID; or an OpenID Connect provider without a condition on the subject (`…:sub`; for
    Amazon Cognito the audience, which is the identity pool, will do). Accounts named in `trusted_accounts`
    count as own; which accounts are in the same organization is not read, so name those too. AWS services
    may always be trusted here.
    """
    if exempt := _exempt(role, inventory):
        return exempt

    statements = [s for s in policy.parse(role["AssumeRolePolicyDocument"]) if not s.allows or _assumes(s)]
    foreign = _foreign(role, trusted_accounts)
    public = policy.exposures(statements, policy.is_public)
    for exposure in public:
        if not exposure.doubtful:
            return failed("can be assumed by anyone", **_caller(exposure))
    for exposure in policy.exposures(statements, foreign, _KNOWN_CALLER):
        return failed(
            f"can be assumed by {exposure.principal.value} without sts:ExternalId or aws:PrincipalOrgID",
            **_caller(exposure),
        )
    for exposure in _unbound_federation(statements):
        return failed(
            f"can be assumed by any subject of {exposure.principal.value}: no condition on sub",
            **_caller(exposure),
        )
    for exposure in public:
        return not_evaluated(
            "can be assumed by anyone under a condition that is not known to narrow", **_caller(exposure)
        )
    return passed("can be assumed by known callers alone")


@check("AWS::KMS::Key")
def kms_key_policy_no_wildcard(key: Resource) -> Verdict:
    """A customer's key is not open to every principal.

    Fails where the key policy allows Principal "*" without a condition that names callers:
    kms:CallerAccount, aws:PrincipalOrgID, aws:PrincipalAccount, aws:PrincipalArn, or a source account, ARN
    or network. kms:ViaService alone says through which service, not for whom, and does not suffice. The
    statement that gives an account's root kms:* hands the decision to that account's IAM and is no finding.
    AWS-managed keys are open through their service by design and are not judged.
    """
    if key["KeyManager"] == "AWS":
        return not_applicable("is managed by AWS", KeyManager="AWS")

    found = policy.exposures(policy.parse(key["Policy"]), policy.is_public)
    for exposure in found:
        if not exposure.doubtful:
            return failed(
                f"is open to every principal by statement {exposure.statement.label}", **_caller(exposure)
            )
    for exposure in found:
        return not_evaluated(
            f"is open to every principal by statement {exposure.statement.label} under a condition that is "
            "not known to narrow",
            **_caller(exposure),
        )
    return passed("is open to named principals alone")


# -- roles -----------------------------------------------------------------------------------------

_KNOWN_CALLER = frozenset({"sts:externalid", "aws:principalorgid", "aws:principalorgpaths"})
_ASSUME = ("sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml")


def _exempt(role: Resource, inventory: Inventory) -> Verdict | None:
    path = role["Path"] or "/"
    if path.startswith(("/aws-service-role/", "/aws-reserved/")):
        return not_applicable("is made and kept by AWS", Path=path)
    if not inventory.has_source(role, "runs-as"):
        return not_applicable("is a role that nothing scanned runs as")
    return None


def _grant(role: Resource, inventory: Inventory, find: Find[policy.Grant]) -> policy.Grant | Verdict | None:
    """The first grant that a role's policies hold within its boundary, or why that cannot be said."""
    found, unknown = _within(role, inventory, find)
    for grant in found:
        if not grant.doubtful:
            return grant
    for grant in found:
        return not_evaluated(
            f"allows {_given(grant)} under a condition that is not known to narrow", **_evidence(grant)
        )
    return unknown


def _within(role: Resource, inventory: Inventory, find: Find[_Found]) -> tuple[list[_Found], Verdict | None]:
    """What a role's policies hold within its boundary, and why there may be more to it."""
    # Eight rules ask, and reading documents is most of their work.
    read: dict[str, tuple[policy.Policies, list[str]]] = inventory.derived("policies of roles", dict)
    if role.arn not in read:
        read[role.arn] = _policies(role, inventory)
    policies, unknown = read[role.arn]
    found = find(policies, None)
    boundary = (role["PermissionsBoundary"] or {}).get("PermissionsBoundaryArn")
    if found and boundary:
        limit = _managed(boundary, inventory)
        if limit is None:
            return [], not_evaluated(f"is bounded by {boundary}, whose document is not known")
        found = find(policies, limit)
    if unknown:
        return found, not_evaluated(f"has {unknown[0]} attached, whose document is not known")
    return found, None


def _policies(role: Resource, inventory: Inventory) -> tuple[policy.Policies, list[str]]:
    """A role's policies, inline and attached, and the ARNs of those whose documents are not known."""
    found = [
        policy.Policy(inline["PolicyName"], policy.parse(inline["PolicyDocument"]))
        for inline in role["RolePolicyList"] or []
    ]
    unknown = []
    for attached in role["AttachedManagedPolicies"] or []:
        managed = _managed(attached["PolicyArn"], inventory)
        if managed is None:
            unknown.append(attached["PolicyArn"])
        else:
            found.append(managed)
    return policy.Policies(found), unknown


def _managed(arn: str, inventory: Inventory) -> policy.Policy | None:
    found: policy.Policy | None = inventory.derived(f"policy {arn}", lambda: _read(arn, inventory))
    return found


def _read(arn: str, inventory: Inventory) -> policy.Policy | None:
    resource = inventory.find("AWS::IAM::ManagedPolicy", arn)
    if resource is None or resource["Document"] is None:
        return policy.by_name(arn)
    return policy.Policy(resource.name, policy.parse(resource["Document"]))


def _own_policies(role: Resource) -> list[str]:
    """The ARNs of the attached policies that are the account's own, and so can be changed."""
    attached = [row["PolicyArn"] for row in role["AttachedManagedPolicies"] or []]
    return [arn for arn in attached if arns.parse(arn).account != "aws"]


def _ways(openings: list[escalations.Opening]) -> str:
    first, others = openings[0].path, len(openings) - 1
    more = f", and in {others} more {'way' if others == 1 else 'ways'}" if others else ""
    return f"{' with '.join(first.actions)} ({first.how}){more}"


def _paths(openings: list[escalations.Opening]) -> dict[str, Any]:
    return {
        "Path": [opening.path.name for opening in openings],
        "Action": list(openings[0].path.actions),
        **{
            name: sorted({value for grant in openings[0].grants for value in [_evidence(grant)[name]]})
            for name in ("PolicyName", "Statement", "Resource")
        },
    }


def _given(grant: policy.Grant) -> str:
    return f"{grant.action} on {grant.resource} (policy {grant.policy}, statement {grant.statement.label})"


def _evidence(grant: policy.Grant) -> dict[str, Any]:
    return {
        "PolicyName": grant.policy,
        "Statement": grant.statement.label,
        "Action": grant.action,
        "Resource": grant.resource,
    }


# -- callers ---------------------------------------------------------------------------------------


def _caller(exposure: policy.Exposure) -> dict[str, Any]:
    return {"Statement": exposure.statement.label, "Principal": exposure.principal.value}


def _assumes(statement: policy.Statement) -> bool:
    return any(statement.action(action) for action in _ASSUME)


def _foreign(role: Resource, trusted_accounts: list[str]) -> Callable[[policy.Principal], bool]:
    own = {role.account, *trusted_accounts}
    return lambda caller: caller.kind is policy.Caller.ACCOUNT and caller.account not in own


def _unbound_federation(statements: list[policy.Statement]) -> Iterator[policy.Exposure]:
    """Allows of an OpenID Connect provider that leave the subject open."""
    for caller in sorted({c for s in statements for c in s.callers if c.kind is policy.Caller.FEDERATED}):
        if ":saml-provider/" not in caller.value:
            issuer = caller.value.partition(":oidc-provider/")[2] or caller.value
            claim = "aud" if issuer == "cognito-identity.amazonaws.com" else "sub"
            subject = frozenset({f"{issuer}:{claim}".lower()})
            yield from policy.exposures(statements, caller.__eq__, subject)


@check("AWS::IoT::Policy")
def iot_policy_least_privilege(document: Resource) -> Verdict:
    """A device may connect as itself and speak on its own topics.

    Fails for `iot:*` on whatever, and where iot:Publish, iot:Subscribe, iot:Receive or iot:Connect is allowed
    on everything of its kind (`*`, `topic/*`, `client/*`): a variable such as
    `${iot:Connection.Thing.ThingName}` in the resource makes it less. A policy that nothing is attached to is
    a low failure.
    https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html
    """
    severity = None if document["targets"] else "low"
    for statement in policy.parse(document["policyDocument"]):
        wide = [name for name in _DEVICE_ACTIONS if statement.allows and statement.action(name)]
        if not wide or statement.conditions:
            continue
        if statement.action("iot:?*"):
            return failed(
                f"allows all of AWS IoT in statement {statement.label}",
                severity=severity,
                Statement=statement.label,
            )
        for resource in statement.spoken_of:
            if _is_everything(resource):
                return failed(
                    f"allows {wide[0]} on {resource} in statement {statement.label}",
                    severity=severity,
                    Action=wide,
                    Resource=resource,
                )
    return passed("lets a device do what is its own")


_DEVICE_ACTIONS = ("iot:Publish", "iot:Subscribe", "iot:Receive", "iot:Connect")


def _is_everything(resource: str) -> bool:
    """Whether it names all clients, topics or topic filters, or whatever NotResource leaves."""
    part = arns.parse(resource).resource or resource
    return resource == "NotResource" or part in ("*", "client/*", "topic/*", "topicfilter/*")
