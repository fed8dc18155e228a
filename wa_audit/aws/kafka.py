"""What holds for an Amazon MSK cluster beside what is written down of it.

Express brokers and serverless clusters keep three copies and as much storage as they need by themselves.
https://docs.aws.amazon.com/msk/latest/developerguide/msk-broker-types-express.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


def managed(cluster_type: str | None, provisioned: Mapping[str, Any] | None) -> str:
    """Why MSK sees to copies and storage by itself; empty where a cluster has Standard brokers."""
    if cluster_type == "SERVERLESS":
        return "is serverless"
    nodes = (provisioned or {}).get("BrokerNodeGroupInfo") or {}
    return "has Express brokers" if str(nodes.get("InstanceType")).startswith("express.") else ""


class Replication(NamedTuple):
    """Copies of a topic that is made without saying how many, and how many of them a write waits for.

    `unclean` says whether a copy that lags behind may become the leader.
    """

    copies: int
    in_sync: int
    unclean: bool


def replication(settings: Mapping[str, str] | None, provisioned: Mapping[str, Any]) -> Replication:
    """What a cluster's `server.properties` set, and MSK's own defaults for what they leave out.

    Those hang on the zones, and on whether old segments move to tiered storage.
    https://docs.aws.amazon.com/msk/latest/developerguide/msk-default-configuration.html
    """
    own = settings or {}
    # Each subnet lies in a zone of its own, and there are two or three of them.
    in_two = len((provisioned.get("BrokerNodeGroupInfo") or {}).get("ClientSubnets") or ()) == 2
    unclean = own.get("unclean.leader.election.enable")
    return Replication(
        int(own.get("default.replication.factor", 2 if in_two else 3)),
        int(own.get("min.insync.replicas", 1 if in_two else 2)),
        provisioned.get("StorageMode") != "TIERED" if unclean is None else str(unclean).lower() == "true",
    )
