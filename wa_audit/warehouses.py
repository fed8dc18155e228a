"""What holds for a Redshift cluster beside its own fields: the parameters of the groups that it uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wa_audit.inventory import Inventory
from wa_audit.model import Resource

_GROUP = "AWS::Redshift::ClusterParameterGroup"


def parameters(cluster: Resource, inventory: Inventory) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Each of a cluster's parameter groups, as the cluster has it, and the values that were read of it.

    Raises:
        Unread: a group, or its parameters, could not be read.
    """
    for group in cluster["ClusterParameterGroups"] or []:
        name = group["ParameterGroupName"]
        found = inventory.find(_GROUP, inventory.arn_near(_GROUP, name, cluster))
        rows = (found["Parameters"] or []) if found else []
        yield group, {row["ParameterName"]: str(row.get("ParameterValue")) for row in rows}
