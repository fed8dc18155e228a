"""Trials of recommendations, which nobody would miss, and which are copied to another Region all the same."""

from __future__ import annotations

from wa_audit.demo_account.account import SECOND_REGION, Account
from wa_audit.demo_account.foundation import TERRAFORM

TAGS = {"project": "trials", "owner": "data-science", "environment": "production", "criticality": "low"}
BUCKET = "acme-trials"


def seed(account: Account) -> None:
    key = account.keys["acme-data"]
    copy = account.bucket(f"{BUCKET}-copy", region=SECOND_REGION, versioning="Enabled", tags=TAGS | TERRAFORM)
    account.bucket(BUCKET, key=key, versioning="Enabled", tags=TAGS | TERRAFORM)
    account.replicate(BUCKET, copy, role="acme-clickstream-replication", key=key)
