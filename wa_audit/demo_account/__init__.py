"""A small company's data platform, seeded through the same AWS APIs that a user would call.

Acme sells things. `clickstream` follows what visitors do, `orders` handles what they buy, `images` shows
what there is, `customers` keeps whom it is for, `sensors` look after the cold stores, `governance` after the
rest, `trials` try things out, `spending` forecasts what will be sold, `reporting` adds it up at night, and
`analysts` look at it. Parts of it are well built and parts are not, so that every pillar of an audit has
something to praise and something to mend.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wa_audit.demo_account import (
    analysts,
    clickstream,
    customers,
    foundation,
    governance,
    images,
    orders,
    reporting,
    sensors,
    spending,
    trials,
    warehouse,
)
from wa_audit.demo_account.account import SECOND_REGION, Account, Refusal

if TYPE_CHECKING:
    import boto3

__all__ = ["LEDGER", "SECOND_REGION", "Refusal", "seed"]

LEDGER = Path(__file__).with_name("ledger.jsonl")
"""The inventory of Acme's other account, where the ledger is kept: small, and well looked after. What an
account has once or not at all is the other way round there, and what the emulator cannot hold is there."""


def seed(
    session: boto3.session.Session, region: str = "eu-west-1", endpoint_url: str | None = None
) -> list[Refusal]:
    """Fills an empty account, and says which calls its endpoint refused or does not implement.

    Most of it lies in `region`; two buckets lie in `SECOND_REGION`. Meant for an emulated AWS: it makes
    things that cost money and things that no account should have.
    """
    account = Account(session, region, endpoint_url)
    for part in (
        foundation,
        clickstream,
        orders,
        reporting,
        images,
        sensors,
        spending,
        warehouse,
        customers,
        governance,
        analysts,
        trials,
    ):
        part.seed(account)
    return account.refusals
