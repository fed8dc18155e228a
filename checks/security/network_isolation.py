"""Traffic keeps to networks of one's own."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    firewalls,
    neighbours,
    networks,
    not_applicable,
    not_evaluated,
    passed,
)


@check("AWS::Redshift::Cluster", "AWS::RedshiftServerless::Workgroup")
def redshift_enhanced_vpc_routing(cluster: Resource) -> Verdict:
    """Passes where COPY and UNLOAD of a cluster, or serverless workgroup, go through the VPC
    (EnhancedVpcRouting).

    Without it they leave by the internet, past security groups, network ACLs, endpoint policies and flow
    logs. Before it is switched on, the VPC needs a way to S3.
    https://docs.aws.amazon.com/redshift/latest/mgmt/enhanced-vpc-routing.html
    """
    if cluster["EnhancedVpcRouting"] or cluster["enhancedVpcRouting"]:
        return passed("routes COPY and UNLOAD through its VPC", EnhancedVpcRouting=True)
    return failed("routes COPY and UNLOAD past its VPC", EnhancedVpcRouting=False)


@check("AWS::EMR::Cluster")
def emr_cluster_private(cluster: Resource) -> Verdict:
    """Passes where none of the cluster's running instances has a public address.

    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-clusters-in-a-vpc.html
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    public = [i["Ec2InstanceId"] for i in cluster["Instances"] or [] if i.get("PublicIpAddress")]
    if public:
        return failed(f"has {len(public)} instances with public addresses", instances=public)
    return passed("has no instance with a public address")


@check("AWS::EC2::VPC")
def vpc_endpoint_s3(vpc: Resource, inventory: Inventory, *, vpcs_with_shared_endpoints: list[str]) -> Verdict:
    """A VPC in which a pipeline computes has its own way to S3.

    Passes where the route table of each subnet that is used, its own or the main one, is associated with an
    available gateway endpoint for S3, or where there is an available interface endpoint for S3. A gateway
    endpoint serves no subnet but those of its route tables. Subnets are used by Lambda, Glue connections,
    EMR, ECS, MSK Connect, DMS, and by Redshift with enhanced VPC routing.

    Endpoints may also be shared: in another account's VPC that is shared with this one, or in one to which a
    transit gateway, AWS Cloud WAN or a peering connection leads. Where that may be, a VPC without an endpoint
    of its own is not evaluated, unless `vpcs_with_shared_endpoints` names it: then nothing is said of it.
    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    """
    if vpc.name in vpcs_with_shared_endpoints:
        return not_applicable("is served by shared endpoints")
    subnets = networks.used_subnets(vpc, inventory)
    if not subnets:
        return not_applicable("has no pipeline's compute in it")

    own = [e for e in networks.endpoints(vpc, inventory) if networks.service_of(e) == "s3"]
    for endpoint in own:
        if endpoint["VpcEndpointType"] == "Interface":
            return passed("reaches S3 by an interface endpoint", endpoint=endpoint.name)
    routed = {table for endpoint in own for table in endpoint["RouteTableIds"] or ()}
    tables = {subnet.name: networks.route_table(subnet, inventory) for subnet in subnets}
    without = sorted(name for name, table in tables.items() if table is None or table.name not in routed)
    if not without:
        names = [endpoint.name for endpoint in own]
        return passed("reaches S3 by a gateway endpoint", endpoints=names, subnets=sorted(tables))

    shown = [table for table in tables.values() if table is not None]
    if reason := networks.elsewhere(vpc, shown, inventory):
        return not_evaluated(reason, subnets=without)
    if len(shown) < len(tables):
        return not_evaluated("has a subnet whose route table is not shown", subnets=without)
    if own:
        return failed(
            f"has a gateway endpoint for S3 that {len(without)} of its {len(tables)} used subnets do not use",
            RouteTableIds=sorted(routed),
            subnets=without,
        )
    return failed("has no endpoint for S3", subnets=without)


# How the name of a service's endpoint ends → the resources by which the service is in use.
# https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
_USED_BY = {
    "athena": ("AWS::Athena::WorkGroup",),
    "elasticmapreduce": ("AWS::EMR::Cluster",),
    "events": ("AWS::Events::Rule",),
    "glue": ("AWS::Glue::Job", "AWS::Glue::Crawler"),
    "kinesis-firehose": ("AWS::KinesisFirehose::DeliveryStream",),
    "kinesis-streams": ("AWS::Kinesis::Stream",),
    "kms": ("AWS::KMS::Key",),
    "lakeformation": ("AWS::LakeFormation::Resource",),
    "logs": ("AWS::Logs::LogGroup",),
    "monitoring": ("AWS::CloudWatch::Alarm",),
    "redshift-data": ("AWS::Redshift::Cluster", "AWS::RedshiftServerless::Workgroup"),
    "secretsmanager": ("AWS::SecretsManager::Secret",),
    "sns": ("AWS::SNS::Topic",),
    "sqs": ("AWS::SQS::Queue",),
    "states": ("AWS::StepFunctions::StateMachine",),
}


@check("AWS::EC2::VPC")
def vpc_endpoint_interface_services(
    vpc: Resource, inventory: Inventory, *, services: list[str], vpcs_with_shared_endpoints: list[str]
) -> Verdict:
    """A VPC in which a pipeline computes has interface endpoints for the services that are used beside it.

    Of `services`, those count of which the region has a resource (Athena: a workgroup other than `primary`,
    which every account has), and AWS STS, from which everything has its credentials. Each wants an available
    interface endpoint with private DNS, without which code would have to call it by a name of its own. Medium
    where a used subnet has no default route either but by a private NAT gateway, so that calls fail.

    Subnets and shared endpoints count as in vpc-endpoint-s3.
    https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
    """
    if vpc.name in vpcs_with_shared_endpoints:
        return not_applicable("is served by shared endpoints")
    subnets = networks.used_subnets(vpc, inventory)
    if not subnets:
        return not_applicable("has no pipeline's compute in it")

    used = {service for service in services if _is_used(service, vpc.region, inventory)}
    private = {
        networks.service_of(endpoint)
        for endpoint in networks.endpoints(vpc, inventory)
        if endpoint["VpcEndpointType"] == "Interface" and endpoint["PrivateDnsEnabled"]
    }
    missing = sorted(used - private)
    if not missing:
        return passed("has an interface endpoint for each service that is used", services=sorted(used))

    found = [networks.route_table(subnet, inventory) for subnet in subnets]
    tables = [table for table in found if table is not None]
    if reason := networks.elsewhere(vpc, tables, inventory):
        return not_evaluated(reason, missing=missing)
    shut = len(tables) == len(found) and not all(networks.leads_out(t, inventory) for t in tables)
    words = f"has no interface endpoint with private DNS for {', '.join(missing)}"
    if shut:
        return failed(f"{words}, and no other way there", severity="medium", missing=missing)
    return failed(words, missing=missing)


def _is_used(service: str, region: str, inventory: Inventory) -> bool:
    if service == "sts":
        return True
    listed = [inventory.of(type_, region=region) for type_ in _USED_BY[service]]
    return not all(neighbours.is_made_by_aws(found) for each in listed for found in each)


@check("AWS::EC2::SecurityGroup")
def security_group_data_ports_open(
    group: Resource, inventory: Inventory, *, ports: list[int | str], opensearch_ports: list[int | str]
) -> Verdict:
    """A security group in front of a pipeline's resource does not let the internet in on ports of data.

    Fails where a rule lets 0.0.0.0/0 or ::/0 in on any of `ports`, and in front of an OpenSearch domain on
    any of `opensearch_ports`: by TCP, or by all protocols. HTTPS elsewhere, a dashboard's say, is no port of
    data. Critical where a network interface behind the group has a public address, or a resource behind it is
    to have one (publicly accessible Redshift and DMS, brokers with public access, ECS services that assign
    addresses); else high: then it is one address away. A rule for a prefix list, whose ranges are not read,
    leaves a group unjudged.

    Looks at groups of EMR, Redshift, MSK, MSK Connect, OpenSearch, ECS, DMS and Glue connections. Of Lambda
    functions, which take no connections, nothing is asked.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """
    behind = [
        found
        for relation in inventory.sources(group, "guarded-by")
        if (found := inventory.get(relation.source)) is not None and found.type != "AWS::Lambda::Function"
    ]
    if not behind:
        return not_applicable("guards nothing of a pipeline that takes connections")

    searched = any(found.type == "AWS::OpenSearchService::Domain" for found in behind)
    wanted = firewalls.ports([*ports, *(opensearch_ports if searched else ())])
    rules = group["IpPermissions"] or []
    names = sorted({found.name for found in behind})
    if open_ := [str(p) for p in wanted if any(firewalls.opens(rule, p) for rule in rules)]:
        interfaces = inventory.of("AWS::EC2::NetworkInterface", region=group.region)
        public = [i.name for i in interfaces if i["PublicIp"] and group["GroupId"] in (i["Groups"] or ())]
        public += sorted({found.name for found in behind if _is_published(found)})
        return failed(
            f"lets the internet in on {', '.join(open_)}, in front of {', '.join(names)}",
            severity=None if public else "high",
            ports=open_,
            public=public,
        )
    for rule in rules:
        if rule.get("PrefixListIds") and any(firewalls.covers(rule, p) for p in wanted):
            return not_evaluated(
                "lets in a prefix list, whose ranges are not read", PrefixListIds=rule["PrefixListIds"]
            )
    return passed("keeps the internet from ports of data", behind=names)


def _is_published(found: Resource) -> bool:
    """Whether a resource is to have a public address, be it one that no network interface bears now."""
    match found.type:
        case "AWS::Redshift::Cluster" | "AWS::DMS::ReplicationInstance":
            return bool(found["PubliclyAccessible"])
        case "AWS::RedshiftServerless::Workgroup":
            return bool(found["publiclyAccessible"])
        case "AWS::ECS::Service":
            network = (found["networkConfiguration"] or {}).get("awsvpcConfiguration") or {}
            return bool(network.get("assignPublicIp") == "ENABLED")
        case "AWS::MSK::Cluster":
            nodes = (found["Provisioned"] or {}).get("BrokerNodeGroupInfo") or {}
            access = (nodes.get("ConnectivityInfo") or {}).get("PublicAccess") or {}
            return bool(access.get("Type", "DISABLED") != "DISABLED")
    return False
