"""Traffic keeps to networks of one's own."""

from wa_audit.rule import Resource, Verdict, check, failed, passed


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
