"""Where in a network pipelines compute, and how they get from there to AWS's services.

Each answer is whole, or raises `Unread` where something that could change it was not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wa_audit.aws import firewalls
from wa_audit.inventory import Inventory
from wa_audit.model import Resource

# What runs a pipeline's own work in a network, and calls other services from there. Brokers and domains are
# called; what they do themselves, backups and tiers, goes by AWS's own ways.
_COMPUTE = frozenset(
    {
        "AWS::DMS::ReplicationInstance",
        "AWS::ECS::Service",
        "AWS::EMR::Cluster",
        "AWS::EMRServerless::Application",
        "AWS::Glue::Connection",
        "AWS::KafkaConnect::Connector",
        "AWS::Lambda::Function",
        "AWS::Redshift::Cluster",
        "AWS::RedshiftServerless::Workgroup",
    }
)
# Redshift goes by its network only where it is told to:
# https://docs.aws.amazon.com/redshift/latest/mgmt/enhanced-vpc-routing.html
_ROUTED = {
    "AWS::Redshift::Cluster": "EnhancedVpcRouting",
    "AWS::RedshiftServerless::Workgroup": "enhancedVpcRouting",
}

_NAT = "AWS::EC2::NatGateway"
# Targets of routes to other VPCs, from which their interface endpoints can be reached:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html
_OTHER_NETWORKS = ("TransitGatewayId", "CoreNetworkArn", "VpcPeeringConnectionId")


def used_subnets(vpc: Resource, inventory: Inventory) -> list[Resource]:
    """The subnets of a VPC from which a pipeline's compute calls other services."""
    return [
        subnet
        for subnet in inventory.having("AWS::EC2::Subnet", "VpcId", vpc.name, region=vpc.region)
        if _computes_in(subnet, inventory)
    ]


def _computes_in(subnet: Resource, inventory: Inventory) -> bool:
    placed = (inventory.get(relation.source) for relation in inventory.sources(subnet, "placed-in"))
    return any(
        found is not None
        and found.type in _COMPUTE
        and (found.type not in _ROUTED or bool(found[_ROUTED[found.type]]))
        for found in placed
    )


def route_table(subnet: Resource, inventory: Inventory) -> Resource | None:
    """The table that routes a subnet: its own or the VPC's main one; None where neither is shown.

    https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html
    """
    main = None
    for table in inventory.having("AWS::EC2::RouteTable", "VpcId", subnet["VpcId"], region=subnet.region):
        for association in table["Associations"] or ():
            if association.get("SubnetId") == subnet.name:
                return table
            if association.get("Main"):
                main = table
    return main


def endpoints(vpc: Resource, inventory: Inventory) -> list[Resource]:
    """A VPC's endpoints that are at work."""
    return [
        endpoint
        for endpoint in inventory.having("AWS::EC2::VPCEndpoint", "VpcId", vpc.name, region=vpc.region)
        if str(endpoint["State"]).lower() == "available"
    ]


def service_of(endpoint: Resource) -> str:
    """The service of an endpoint as its name ends: `s3` of `com.amazonaws.eu-west-1.s3`."""
    return str(endpoint["ServiceName"]).rpartition(".")[2].removesuffix("-fips")


def elsewhere(vpc: Resource, tables: Iterable[Resource], inventory: Inventory) -> str:
    """Why endpoints that are not seen may serve a VPC all the same; empty where they cannot."""
    owner = vpc["OwnerId"]
    if owner not in (None, inventory.run.account):
        return f"belongs to account {owner}, whose endpoints are not listed here"
    for table in tables:
        if any(row.get(target) for row in _routes(table) for target in _OTHER_NETWORKS):
            return f"is routed to other networks by {table.name}, where endpoints for it may be"
    return ""


def tables_to(gateway: Resource, inventory: Inventory) -> list[Resource]:
    """The route tables with a route to a NAT gateway."""
    return [
        table
        for table in inventory.of("AWS::EC2::RouteTable", region=gateway.region)
        if any(row.get("NatGatewayId") == gateway.name for row in _routes(table))
    ]


def gateway_tables(service: str, near: Resource, inventory: Inventory) -> set[str]:
    """The ids of the route tables in a resource's region with an available gateway endpoint to a service."""
    return {
        table
        for endpoint in inventory.of("AWS::EC2::VPCEndpoint", region=near.region)
        if endpoint["VpcEndpointType"] == "Gateway"
        and service_of(endpoint) == service
        and str(endpoint["State"]).lower() == "available"
        for table in endpoint["RouteTableIds"] or ()
    }


def leads_out(table: Resource, inventory: Inventory) -> bool:
    """Whether a table has a default route to where the internet may be: any but by a private NAT gateway.

    What stands behind a NAT instance, a firewall's endpoint or a virtual private gateway is not read.
    """
    for row in _routes(table):
        if row.get("DestinationCidrBlock", row.get("DestinationIpv6CidrBlock")) in firewalls.ANYWHERE:
            nat = row.get("NatGatewayId")
            found = inventory.find(_NAT, inventory.arn_near(_NAT, nat, table)) if nat else None
            if found is None or found["ConnectivityType"] != "private":
                return True
    return False


def _routes(table: Resource) -> list[Mapping[str, Any]]:
    """The routes of a table that lead somewhere."""
    return [row for row in table["Routes"] or () if row.get("State") != "blackhole"]
