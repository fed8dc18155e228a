"""Buckets that load balancers write their access logs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wa_audit.aws.documents import many

# Newer policies allow the service; older ones the account that Elastic Load Balancing has in the Region.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
_SERVICE = "logdelivery.elasticloadbalancing.amazonaws.com"
_NETWORK = "delivery.logs.amazonaws.com"
_ACCOUNTS = frozenset(
    {
        "009996457667",
        "027434742980",
        "033677994240",
        "054676820928",
        "114774131450",
        "127311923021",
        "156460612806",
        "507241528517",
        "582318560864",
        "600734575887",
        "635631232127",
        "652711504416",
        "718504428378",
        "783225319266",
        "797873946194",
        "897822967062",
        "985666609251",
    }
)


def takes_load_balancer_logs(policy: Mapping[str, Any] | None) -> bool:
    """Whether a bucket policy lets an Application or Network Load Balancer write to the bucket.

    Network Load Balancers share their log service with others, so its statement counts where it names the
    place that they write to, `AWSLogs/`. VPC flow logs are written there too and cannot be told apart.
    """
    for statement in many((policy or {}).get("Statement")):
        principal = statement.get("Principal")
        if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
            continue
        if _SERVICE in many(principal.get("Service")):
            return True
        if _NETWORK in many(principal.get("Service")) and _writes_logs(statement):
            return True
        if any(account in str(name) for name in many(principal.get("AWS")) for account in _ACCOUNTS):
            return True
    return False


def _writes_logs(statement: Mapping[str, Any]) -> bool:
    writes = any(str(action).lower() == "s3:putobject" for action in many(statement.get("Action")))
    return writes and any("/AWSLogs/" in str(resource) for resource in many(statement.get("Resource")))
