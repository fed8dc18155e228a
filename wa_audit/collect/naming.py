"""What a listed item is called, and the times that a row may ask for."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from typing import Any

import jmespath

from wa_audit.aws import arns
from wa_audit.collect.kinds import Kind


def times_of(started: str) -> dict[str, str]:
    """The times that a row may ask for; see `Call`."""
    now = datetime.datetime.fromisoformat(started)
    this_month = now.date().replace(day=1)
    year, month = divmod(this_month.year * 12 + this_month.month - 1 - 6, 12)
    return {
        "month_ago": (now - datetime.timedelta(days=30)).isoformat(),
        "last_month": (this_month - datetime.timedelta(days=1)).replace(day=1).isoformat(),
        "this_month": this_month.isoformat(),
        "half_year_ago": datetime.date(year, month + 1, 1).isoformat(),
    }


def name_of(kind: Kind, item: dict[str, Any]) -> str:
    """What a person calls it: of a URL or an ARN, the last part."""
    value = str(jmespath.search(kind.name, item) or "")
    return re.split(r"[/:]", value)[-1] if value.startswith(("http", "arn:")) else value


def arn_of(kind: Kind, item: dict[str, Any], context: dict[str, Any], name: str) -> str:
    try:
        # What AWS itself calls `arn` is the item's own.
        arn = kind.arn.format(**{**context, **item, "name": name})
    except KeyError:
        arn = ""
    if arns.parse(arn).resource:
        return arn
    # Something without a name of its own yet, such as a subscription that awaits confirmation.
    digest = hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:12]
    word = kind.type.rpartition("::")[2].lower()
    region = "" if kind.scope == "global" else context["region"]
    place = f"{context['partition']}:{kind.service}:{region}:{context['account']}"
    return f"arn:{place}:{word}/{digest}"
