"""Labelled accounts: every relation listed by hand is found and none invented, and so are pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rules.cases import resource
from wa_audit import pipelines
from wa_audit.aws import arns
from wa_audit.inventory import Inventory, Run
from wa_audit.layers import LAYERS
from wa_audit.relations import ROWS, relate

RUN = Run(account="123456789012", regions=("eu-west-1",), started="2026-11-01T12:00:00Z")
ACCOUNTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("accounts.yaml").read_text())
_IDS = [account["account"] for account in ACCOUNTS]

Triple = tuple[str, str, str]


def build(account: dict[str, Any]) -> Inventory:
    """The account's inventory, with its relations."""
    found = [resource(row["type"], row, RUN) for row in account["resources"]]
    return relate(Inventory(RUN, found))


def short(id_: str) -> str:
    """What an ARN goes by in the labels: its last part, after its region where that is another one."""
    arn = arns.parse(id_)
    if not arn.service:
        return id_
    return f"{arn.region}/{arn.resource}" if arn.region not in ("", *RUN.regions) else arn.resource


def labelled(account: dict[str, Any]) -> set[Triple]:
    found = set()
    for line in account["relations"]:
        source, *words = line.split()
        if words[0] == "<":
            found.add((words[2], words[1], source))
        else:
            found.add((source, words[0], words[1]))
    return found


def found(inventory: Inventory) -> set[Triple]:
    return {(short(r.source), r.kind, short(r.target)) for r in inventory.relations()}


def members(inventory: Inventory) -> dict[str, set[str]]:
    return {
        p.name: {*map(short, p.members), *(f"S:{short(id_)}" for id_ in p.shared)}
        for p in pipelines.of(inventory).pipelines
    }


def _precision_and_recall(wanted: set[Any], seen: set[Any]) -> tuple[float, float]:
    right = len(wanted & seen)
    return right / len(seen) if seen else 1.0, right / len(wanted) if wanted else 1.0


@pytest.mark.parametrize("account", ACCOUNTS, ids=_IDS)
def test_every_relation_is_found_and_none_invented(account: dict[str, Any]) -> None:
    assert found(build(account)) == labelled(account)


@pytest.mark.parametrize("account", ACCOUNTS, ids=_IDS)
def test_every_pipeline_is_found_with_what_belongs_to_it(account: dict[str, Any]) -> None:
    assert members(build(account)) == {name: set(ids) for name, ids in account["pipelines"].items()}


def test_precision_and_recall_over_all_accounts(capsys: pytest.CaptureFixture[str]) -> None:
    relations: list[set[Any]] = [set(), set()]
    membership: list[set[Any]] = [set(), set()]
    for account in ACCOUNTS:
        inventory, name = build(account), account["account"]
        relations[0] |= {(name, *triple) for triple in labelled(account)}
        relations[1] |= {(name, *triple) for triple in found(inventory)}
        membership[0] |= {(name, p, id_) for p, ids in account["pipelines"].items() for id_ in ids}
        membership[1] |= {(name, p, id_) for p, ids in members(inventory).items() for id_ in ids}
    with capsys.disabled():
        print(f"\n{len(ACCOUNTS)} labelled accounts")
        for what, (wanted, seen) in (("relations", relations), ("membership", membership)):
            precision, recall = _precision_and_recall(wanted, seen)
            print(f"  {what:<11}{len(wanted):>4} labelled, precision {precision:.2f}, recall {recall:.2f}")
            assert (precision, recall) == (1.0, 1.0)
    assert len(ACCOUNTS) >= 30


def test_every_kind_of_relation_and_every_flowing_type_stands_in_some_account() -> None:
    kinds = {kind for account in ACCOUNTS for _, kind, _ in labelled(account)}
    # A job's security configuration is in the embedded account.
    assert {row.kind for row in ROWS} - kinds == {"secured-by"}
    # What is not read itself is known by the relations that lead to it.
    types = {row["type"] for account in ACCOUNTS for row in account["resources"]}
    assert set(LAYERS) - types <= {"AWS::AmazonMQ::Broker", "AWS::RDS::DBInstance"}
