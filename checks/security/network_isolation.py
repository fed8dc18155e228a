"""Traffic keeps to networks of one's own."""

from wa_audit.rule import Resource, Verdict, activity, check, failed, not_applicable, passed


@check("AWS::Redshift::Cluster")
def redshift_enhanced_vpc_routing(cluster: Resource) -> Verdict:
    """Passes where COPY and UNLOAD go through the VPC (EnhancedVpcRouting).

    Without it they leave by the internet, past security groups, network ACLs, endpoint policies and flow
    logs. Before it is switched on, the VPC needs a way to S3.
    https://docs.aws.amazon.com/redshift/latest/mgmt/enhanced-vpc-routing.html
    """
    if cluster["EnhancedVpcRouting"]:
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
