"""What our functions in AWS Lambda have in common: settings, what Lambda says of a call, and the log."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_origin, get_type_hints

import msgspec

from wa_audit.model import ConfigurationError, WaAuditError
from wa_audit.text import unknown

if TYPE_CHECKING:
    from wa_audit.collect.plan import Plan
    from wa_audit.rulebook import Rulebook
    from wa_audit.stores import Bucket

ENVIRONMENT = "WA_AUDIT_"
# What is left of an invocation, in seconds, when it stops reading: enough to judge and to write.
RESERVE = 60.0

S = TypeVar("S", bound=msgspec.Struct)


class Context(Protocol):
    """What Lambda says of an invocation, as far as it is asked."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int: ...


Answer = dict[str, Any]
Handler = Callable[[Any, Context], Answer]


def told(handle: Handler) -> Handler:
    """A handler whose errors are in the log as everything else is. Lambda counts them."""

    @wraps(handle)
    def telling(event: Any, context: Context) -> Answer:
        try:
            return handle(event, context)
        except WaAuditError as error:
            log(status="failed", error=type(error).__name__, message=str(error))
            raise

    return telling


def has_time(context: Context) -> bool:
    """Whether reading may go on."""
    return context.get_remaining_time_in_millis() >= RESERVE * 1000


def until_time_is_out(context: Context) -> Callable[[object], None]:
    """What a reading asks on the way: it raises `collect.OutOfTime` when no more than the reserve is left."""
    from wa_audit.collect import OutOfTime

    def on_wait(_: object) -> None:
        if not has_time(context):
            raise OutOfTime

    return on_wait


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a function writes: a bucket, and a prefix in it. `kms_key` encrypts what is written, and the
    bucket's own setting where it is empty."""

    bucket: str
    prefix: str = ""
    kms_key: str = ""


class Reads(Kept, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read of an account, and judged.

    workers: as wa-audit's flag of this name.
    pillars, rules, severities: what is judged; everything, where they are empty.
    metrics_days, paid_calls, cost: what is read that costs money. 0 days: no metrics.
    redshift_sql: whether Redshift clusters are asked in SQL which external schemas they have.
    """

    workers: int = 16
    pillars: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    metrics_days: int = 14
    paid_calls: bool = True
    cost: bool = False
    redshift_sql: bool = False


def settings(kind: type[S], event: Any, environment: Mapping[str, str]) -> S:
    """Each field of `kind` from the event, else from the environment (`bucket` is `WA_AUDIT_BUCKET`; lists
    with commas between), else its default. The event is the settings themselves, or one of EventBridge with
    the settings as its detail.

    Raises:
        ConfigurationError: a setting is unknown, or not what it should be.
    """
    fields = kind.__struct_fields__
    given = event or {}
    if isinstance(given, dict) and "detail-type" in given:
        given = given.get("detail") or {}
    if not isinstance(given, dict):
        raise ConfigurationError(f"the event is {type(given).__name__}, not an object of settings")
    for name in given:
        if name not in fields:
            raise ConfigurationError(f"the event: {unknown('setting', name, fields)}")
    found: dict[str, Any] = {
        name: environment[ENVIRONMENT + name.upper()]
        for name in fields
        if environment.get(ENVIRONMENT + name.upper())
    }
    hints = get_type_hints(kind)
    for name, text in found.items():
        if get_origin(hints[name]) is tuple:
            found[name] = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert({**found, **given}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the event and the environment ({ENVIRONMENT}*): {error}") from None


def place(kept: Kept) -> Bucket:
    """Where everything is written. Its clients are kept, as Lambda keeps the process."""
    return _place(kept.bucket, kept.prefix, kept.kms_key)


def prepared(reads: Reads) -> tuple[Rulebook, Plan]:
    """The bundled rulebook as far as it is judged, and what that needs to be read.

    Raises:
        ConfigurationError: there is no such pillar, rule or severity.
    """
    from wa_audit import rulebook, wiring
    from wa_audit.collect import plan

    book = rulebook.load().select(pillars=reads.pillars, rules=reads.rules, severities=reads.severities)
    whole = wiring.make_plan(book, tags=False)
    made = plan.affordable(
        whole, paid_calls=reads.paid_calls, cost=reads.cost, redshift_sql=reads.redshift_sql
    )
    return book, made


@cache
def _place(bucket: str, prefix: str, kms_key: str) -> Bucket:
    from wa_audit.stores import Bucket

    return Bucket(bucket, prefix.strip("/"), endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), kms_key=kms_key)


def log(**figures: Any) -> None:
    """Figures, as a line of JSON in the function's log: no finding, and no secret."""
    line(json.dumps({"wa-audit": figures}, sort_keys=True))


def line(text: str) -> None:
    """A line of the function's log."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
