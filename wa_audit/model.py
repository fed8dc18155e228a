"""The nouns every stage shares. This module imports nothing of ours.

A `Resource` is what AWS says exists, a `Gap` is what AWS would not say, a `Relation` is one resource
pointing at another, a `Verdict` is what a check concludes about a resource, and a `Finding` is that
verdict with an identity.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

import msgspec


class Pillar(StrEnum):
    """The six pillars of the AWS Well-Architected Framework, in the framework's order."""

    OPERATIONAL_EXCELLENCE = "operational-excellence"
    SECURITY = "security"
    RELIABILITY = "reliability"
    PERFORMANCE_EFFICIENCY = "performance-efficiency"
    COST_OPTIMIZATION = "cost-optimization"
    SUSTAINABILITY = "sustainability"

    @property
    def label(self) -> str:
        return self.value.replace("-", " ").capitalize()


class Severity(StrEnum):
    """How much harm a failure does; declared from worst to mildest."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, 4 for info: sorts the worst first."""
        return list(Severity).index(self)


class Status(StrEnum):
    """What became of one rule on one resource."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NOT_EVALUATED = "not_evaluated"
    ERROR = "error"
    SUPPRESSED = "suppressed"


class Reason(StrEnum):
    """Why a reading is missing."""

    ACCESS_DENIED = "access_denied"
    THROTTLED = "throttled"
    EXPIRED_CREDENTIALS = "expired_credentials"
    NOT_IMPLEMENTED = "not_implemented"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_COLLECTED = "not_collected"
    OUT_OF_SCOPE = "out_of_scope"


class Gap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A reading that AWS refused, that failed, or that was never asked for.

    `fields` names the facts that are missing on the resource `arn`; where it is empty, the list of all
    resources of `type` in `region` is what could not be read.
    """

    type: str
    operation: str
    action: str
    reason: Reason
    region: str = ""
    arn: str = ""
    fields: tuple[str, ...] = ()
    message: str = ""

    @property
    def sentence(self) -> str:
        """One clause for a person: the operation, what happened, and the permission that would cure it."""
        operation = self.operation + (f" in {self.region}" if self.region else "")
        match self.reason:
            case Reason.ACCESS_DENIED:
                return f"{operation} was denied{self._by_whom}; it needs {self.action}"
            case Reason.NOT_COLLECTED:
                paid = f", {self.message}" if self.message else ""
                return (
                    f"{self.operation} was not part of this collection; collect again with this rule "
                    f"selected{paid}"
                )
            case Reason.OUT_OF_SCOPE:
                return f"{self.message} lies outside the audited account and regions"
            case Reason.NOT_IMPLEMENTED:
                return f"{operation} is not implemented by the endpoint (IAM action {self.action})"
            case _:
                words = str(self.reason).replace("_", " ")
                return f"{operation} could not be read: {words} (IAM action {self.action})"

    @property
    def _by_whom(self) -> str:
        """What refused, where AWS says that it was more than the caller's own policies."""
        for words, blocker in _BLOCKERS.items():
            if words in self.message:
                return f" by {blocker}"
        return ""


# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_BLOCKERS = {
    "service control policy": "a service control policy",
    "resource control policy": "a resource control policy",
    "permissions boundary": "the permissions boundary",
    "session policy": "the session policy",
    "VPC endpoint policy": "the VPC endpoint's policy",
    "resource-based policy": "the resource's own policy",
}


class Unread(Exception):
    """A fact was asked for that could not be read. Not there is `None`; could not look is this."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.sentence)
        self.gap = gap


class Resource(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One AWS resource.

    `type` is CloudFormation's name (`AWS::SQS::Queue`); where CloudFormation has none, AWS Config's.
    `data` holds the API's own fields under the API's own names, with JSON strings and string booleans
    parsed. `region` is empty for global resources.
    """

    type: str
    arn: str
    name: str
    account: str
    region: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()

    def __getitem__(self, field: str) -> Any:
        """The field's value, or None where AWS says that it is not configured.

        Raises:
            Unread: the call that gives this field was refused, failed, or was not made.
        """
        data = self.data
        if field in data:
            return data[field]
        for gap in self.gaps:
            if field in gap.fields:
                raise Unread(gap)
        return None

    def metric(self, key: str) -> dict[str, float] | None:
        """What CloudWatch said of one of the resource's metrics, or None where it has no such metric.

        `Datapoints` is how many there were; where there were any, `Sum`, `Minimum`, `Maximum` and `Latest`
        are theirs, and `Above0` is how many were above zero.

        Raises:
            Unread: it was not asked for, was refused, or could not be read whole.
        """
        found: dict[str, dict[str, float]] = self["Metrics"] or {}
        if key not in found:
            for gap in self.gaps:
                if f"Metrics.{key}" in gap.fields:
                    raise Unread(gap)
        return found.get(key)

    def total(self, key: str) -> float:
        """A metric's sum over the window; 0 where CloudWatch has nothing, which for a count is nothing.

        Raises:
            Unread: see `metric`.
        """
        return (self.metric(key) or {}).get("Sum", 0.0)

    def latest(self, key: str) -> float:
        """A metric's last datapoint, such as a size; 0 where CloudWatch has nothing.

        Raises:
            Unread: see `metric`.
        """
        return (self.metric(key) or {}).get("Latest", 0.0)

    def mean(self, key: str) -> float | None:
        """The mean of a metric's datapoints; None where CloudWatch has nothing.

        Raises:
            Unread: see `metric`.
        """
        found = self.metric(key) or {}
        return found["Sum"] / found["Datapoints"] if found.get("Datapoints") else None

    @property
    def tags(self) -> dict[str, str]:
        """The resource's tags, empty where it has none. Raises Unread where they could not be read."""
        tags: dict[str, str] | None = self.data.get("Tags") or self["Tags"]
        return tags or {}


class Relation(msgspec.Struct, frozen=True, order=True, gc=False):
    """`source` stands in relation `kind` to `target`, as the field `field` of the resource `via` proves.

    `source`, `target` and `via` are ARNs.
    """

    source: str
    kind: str
    target: str
    via: str
    field: str


class Confidence(StrEnum):
    """How much an estimate can be trusted, the surest first."""

    MEASURED = "measured"
    DERIVED = "derived"
    UNKNOWN = "unknown"


class Use(msgspec.Struct, frozen=True):
    """Units a month of what AWS bills under one price; fewer than none are what would take its place."""

    price: str
    units: float


class Waste(msgspec.Struct, frozen=True, kw_only=True):
    """What a failure has a resource use in vain each month, before anybody knows what it costs.

    `measured` from metrics or bills, `derived` from configuration, or `unknown` for a `reason`. `usd` is an
    amount that AWS itself names, in place of uses. `assumptions` are what it rests on, a sentence each.
    """

    confidence: Confidence
    uses: tuple[Use, ...] = ()
    usd: float | None = None
    assumptions: tuple[str, ...] = ()
    reason: str = ""


class PricedUse(msgspec.Struct, frozen=True, kw_only=True):
    """`units` a month at `usd` each, a price that was in force on `date`."""

    price: str
    units: float
    usd: float
    date: str


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a failure wastes a month in USD, before taxes and discounts; None where that is not known.

    `uses` are what it was made from; `reason` says why there is no amount.
    """

    usd: float | None
    confidence: Confidence
    assumptions: tuple[str, ...] = ()
    uses: tuple[PricedUse, ...] = ()
    reason: str = ""


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    """What putting a failure right saves of a resource's own emissions, in percent of what they are now.

    Never an absolute figure: nobody outside AWS knows what a resource draws. `of` is what is saved of, and
    `basis` where the figure comes from.
    """

    percent: float
    of: str
    basis: str


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a check concludes about one resource: a status, one sentence, and the fields that decided it."""

    status: Status
    message: str
    evidence: dict[str, Any] = {}
    severity: Severity | None = None
    gap: Gap | None = None
    waste: Waste | None = None
    carbon: Saving | None = None


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One rule's verdict on one resource.

    `id` depends on the rule and the ARN alone, so that two runs can be compared. `suppression` is the number
    of the entry that accepts a failure, where one does.
    """

    rule: str
    arn: str
    type: str
    name: str
    account: str
    status: Status
    severity: Severity
    message: str
    region: str = ""
    evidence: dict[str, Any] = {}
    gap: Gap | None = None
    suppression: int | None = None
    waste: Estimate | None = None
    carbon: Saving | None = None

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.rule}\n{self.arn}".encode()).hexdigest()[:16]


class WaAuditError(Exception):
    """An error that a user can act on: one line, with the exit code that it ends the program with."""

    exit_code = 2


class ConfigurationError(WaAuditError):
    """A flag, a file or a rule that the user gave is wrong."""


class CredentialsError(WaAuditError):
    """No credentials, or expired ones."""

    exit_code = 5


class InterruptedRunError(WaAuditError):
    """The user stopped a run."""

    exit_code = 130


class OutputError(WaAuditError):
    """A result could not be written."""

    exit_code = 6
