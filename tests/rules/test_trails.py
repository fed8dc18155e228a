"""What is refused of an organization's trail hides nothing that the account logs by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules import cases
from wa_audit import rulebook
from wa_audit.assess import judge
from wa_audit.inventory import ACCOUNT_TYPE, Inventory, Run
from wa_audit.model import Gap, Reason, Resource, Status
from wa_audit.relations import relate

RULES = {rule.id: rule for rule in rulebook.load().rules}
RUN = Run(**cases.RUN)
MANAGEMENT = [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]


def _trail(name: str, **data: Any) -> Resource:
    row = {"name": name, "arn": f"arn:aws:cloudtrail:eu-west-1:{cases.ACCOUNT}:trail/{name}"}
    facts = {"IsMultiRegionTrail": True, "Status": {"IsLogging": True}, **data}
    return cases.resource("AWS::CloudTrail::Trail", {**row, "data": facts}, RUN)


@pytest.mark.parametrize(
    ("own", "expected"), [(MANAGEMENT, Status.PASS), ([], Status.NOT_EVALUATED)], ids=["its own", "none"]
)
def test_an_unread_organizations_trail(own: list[dict[str, Any]], expected: Status) -> None:
    account = cases.resource(ACCOUNT_TYPE, {"name": cases.ACCOUNT}, RUN)
    refused = _trail("a-of-the-organization", IsOrganizationTrail=True)
    read = "cloudtrail:GetEventSelectors"
    fields = ("EventSelectors", "AdvancedEventSelectors")
    refused.gaps = (
        Gap(type=refused.type, operation=read, action=read, reason=Reason.ACCESS_DENIED, fields=fields),
    )
    trails = [refused, _trail("own", IsOrganizationTrail=False, EventSelectors=own)]
    inventory = relate(Inventory(RUN, [account, *trails]))
    verdict = judge(RULES["cloudtrail-multi-region-active"], account, inventory)
    assert verdict.status is expected, verdict.message
