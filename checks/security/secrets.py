"""Secrets are kept where their use is controlled, not in settings that many can read."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Relation,
    Resource,
    Verdict,
    check,
    failed,
    not_applicable,
    not_evaluated,
    passed,
    secrets,
    times,
)


@check("AWS::Lambda::Function")
def lambda_env_no_secrets(function: Resource) -> Verdict:
    """Passes where no environment variable holds a secret in plain text.

    A value of a known shape (access key, private key, password in a URL, token, random text) is a secret
    under any name; plain text is one under a name such as DB_PASSWORD, apiKey or GITHUB_TOKEN. References
    pass: ARNs, parameter paths, {{resolve:...}}, and names that end in _ARN, _NAME, _ID, _PATH and the
    like. Only each value's class is collected, never the value.
    """
    environment = function["Environment"] or {}
    if environment.get("Error"):
        return not_evaluated("has environment variables that AWS could not decrypt for this audit")
    if not environment.get("Variables"):
        return not_applicable("has no environment variables")
    found = secrets.exposed(environment["Variables"])
    if found:
        return failed(f"keeps {_named(found)} in plain environment variables", variables=found)
    return passed("keeps no secret in its environment variables", variables=len(environment["Variables"]))


@check("AWS::Glue::Job")
def glue_job_args_no_secrets(job: Resource, inventory: Inventory) -> Verdict:
    """Passes where no argument of the job, nor of a trigger that starts it, holds a secret in plain text.

    Whoever may read the job sees its arguments, and Glue logs them. Values are judged as those of Lambda's
    environment variables are. Arguments that Glue itself defines are ignored, so a job with no others is out
    of scope.
    """
    sources = {
        "DefaultArguments": job["DefaultArguments"],
        "NonOverridableArguments": job["NonOverridableArguments"],
    }
    triggers = inventory.of("AWS::Glue::Trigger", region=job.region)
    given = inventory.derived(f"triggers' arguments in {job.region}", lambda: _arguments(triggers))
    sources |= given.get(job.name, {})
    own = {name: secrets.classified(arguments) for name, arguments in sources.items()}
    if not any(own.values()):
        return not_applicable("has no arguments of its own")
    found = {name: exposed for name, arguments in own.items() if (exposed := secrets.exposed(arguments))}
    if found:
        keys = {key: class_ for exposed in found.values() for key, class_ in exposed.items()}
        return failed(f"keeps {_named(keys)} in plain arguments", arguments=found)
    return passed("keeps no secret in its arguments", arguments=sum(map(len, own.values())))


def _arguments(triggers: list[Resource]) -> dict[str, dict[str, Any]]:
    """By the job that they are given to: triggers' arguments, by trigger."""
    found: dict[str, dict[str, Any]] = {}
    for trigger in triggers:
        for action in trigger["Actions"] or ():
            found.setdefault(action.get("JobName"), {})[f"trigger {trigger.name}"] = action.get("Arguments")
    return found


@check("AWS::Glue::Connection")
def glue_connection_uses_secret(connection: Resource) -> Verdict:
    """Passes where the connection takes its credentials from AWS Secrets Manager or OAuth 2.

    It fails where it has a user name or a password of its own, or a password in its URL. Out of scope are
    network connections, IAM and Kerberos authentication, and connections without credentials. The list is
    read with HidePassword, so no password is fetched.
    """
    properties = connection["ConnectionProperties"] or {}
    authentication = connection["AuthenticationConfiguration"] or {}
    kind = authentication.get("AuthenticationType")
    if connection["ConnectionType"] == "NETWORK":
        return not_applicable("is a network connection, which has no credentials")
    if kind == "IAM" or properties.get("KAFKA_SASL_MECHANISM") in ("AWS_MSK_IAM", "GSSAPI"):
        return not_applicable(f"authenticates by {kind or properties['KAFKA_SASL_MECHANISM']}")

    for name in ("JDBC_CONNECTION_URL", "CONNECTION_URL"):
        url = str(properties.get(name) or "")
        if secrets.REDACTED in secrets.scrub(url):
            return failed(f"has a password in its {name}", property=name)
    if properties.get("SECRET_ID") or properties.get("KAFKA_SASL_SCRAM_SECRETS_ARN"):
        return passed("takes its credentials from Secrets Manager", property="SECRET_ID")
    if authentication.get("SecretArn") or kind == "OAUTH2":
        return passed(f"authenticates by {kind} with a stored secret", AuthenticationType=kind)
    own = sorted(
        name for name in properties if name.endswith(("USERNAME", "PASSWORD")) and properties[name] != "empty"
    )
    if own:
        return failed(f"has credentials of its own ({', '.join(own)}) and no secret", properties=own)
    if kind:
        return not_evaluated(f"authenticates by {kind} and names no secret", AuthenticationType=kind)
    return not_applicable("has no credentials", ConnectionType=connection["ConnectionType"])


# Destinations of Firehose that are other companies' and take a token or a key of theirs.
_ELSEWHERE = ("HttpEndpoint", "Snowflake", "Splunk")


@check("AWS::SecretsManager::Secret")
def secret_rotation_enabled(secret: Resource, inventory: Inventory, *, most_days: int) -> Verdict:
    """A secret that a pipeline logs in with is rotated, and has been in time.

    Passes where rotation is on and the last one (or the secret's creation) is no more than `most_days` ago,
    nor more than a day beyond what its rotation rules say: AWS rotates at any hour of the day that is due.
    Looks at secrets of Glue connections, Firehose, DMS, ECS, QuickSight and Redshift, and at those whose name
    begins with AmazonMSK_, as MSK wants it for SASL/SCRAM. What SASL/SCRAM and other companies' services
    log in with (OAuth 2, tokens of theirs), AWS has no ready function to rotate: without rotation these are
    for information, but for those of partners whose secrets Secrets Manager rotates itself.

    Says nothing of secrets that nothing read here refers to, of those that another AWS service owns, which
    alone can rotate them, and of replicas, which follow their primary.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-partners.html
    https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html
    """
    for_brokers = str(secret["Name"]).startswith("AmazonMSK_")
    uses = inventory.sources(secret, "authenticates-with")
    if not uses and not for_brokers:
        return not_applicable("is referred to by nothing that was read")
    if owner := secret["OwningService"]:
        return not_applicable(f"belongs to {owner}, which alone can rotate it", OwningService=owner)
    if secret["PrimaryRegion"] not in (None, "", secret.region):
        return not_applicable(f"is a replica, and rotated in {secret['PrimaryRegion']}")
    if not secret["RotationEnabled"]:
        by_hand = for_brokers or (not secret["Type"] and all(_is_others(use, inventory) for use in uses))
        return failed("is not rotated", severity="info" if by_hand else None, RotationEnabled=False)

    last = secret["LastRotatedDate"] or secret["CreatedDate"]
    if not last:
        return not_evaluated("is rotated, and nothing says when it was")
    asked = (secret["RotationRules"] or {}).get("AutomaticallyAfterDays")
    days = int(times.hours_between(last, inventory.run.started) // 24)
    facts = {"LastRotatedDate": last, "AutomaticallyAfterDays": asked}
    if asked and days > asked + 1:
        return failed(f"was last rotated {days} days ago, and should be every {asked} days", **facts)
    if days > most_days:
        return failed(f"was last rotated {days} days ago, more than {most_days}", **facts)
    return passed(f"was rotated {days} days ago", **facts)


def _is_others(use: Relation, inventory: Inventory) -> bool:
    """Whether a secret is used for SASL/SCRAM, or holds what another company's service gave out."""
    if "SASL_SCRAM" in use.field or any(name in use.field for name in _ELSEWHERE):
        return True
    source = inventory.find("AWS::Glue::Connection", use.source)
    settings = source["AuthenticationConfiguration"] if source and "Authentication" in use.field else None
    return (settings or {}).get("AuthenticationType") in ("CUSTOM", "OAUTH2")


def _named(found: dict[str, str]) -> str:
    """`a secret (DB_PASSWORD)` or `3 secrets (A, B, C)`: the names, never the values."""
    names = sorted(found)
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"{'a secret' if len(names) == 1 else f'{len(names)} secrets'} ({listed})"
