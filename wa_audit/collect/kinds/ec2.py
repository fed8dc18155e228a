"""Amazon EC2: the instances, networks and firewalls that pipelines run in.

All of them lie in a VPC, which AWS shows to whom a subnet of it is shared with, too.
"""

from wa_audit.collect.kinds import Call, Kind

_PEERS = (
    "IpPermissions[].{IpProtocol: IpProtocol, FromPort: FromPort, ToPort: ToPort,"
    " IpRanges: IpRanges[].{CidrIp: CidrIp}, Ipv6Ranges: Ipv6Ranges[].{CidrIpv6: CidrIpv6},"
    " PrefixListIds: PrefixListIds[].{PrefixListId: PrefixListId},"
    " UserIdGroupPairs: UserIdGroupPairs[].{GroupId: GroupId}}"
)

KINDS = (
    Kind(
        "AWS::EC2::Instance",
        service="ec2",
        within="AWS::EC2::VPC",
        # User data is another call's, which nothing makes.
        list=Call(
            operation="DescribeInstances",
            params={"MaxResults": 1000},
            take="Reservations[].Instances[]",
            keep="InstanceId InstanceType State LaunchTime VpcId SubnetId PublicIpAddress IamInstanceProfile "
            "SecurityGroups Architecture InstanceLifecycle Tags",
        ),
        name="InstanceId",
        arn="arn:{partition}:ec2:{region}:{account}:instance/{InstanceId}",
    ),
    Kind(
        "AWS::EC2::VPC",
        service="ec2",
        list=Call(
            operation="DescribeVpcs",
            params={"MaxResults": 1000},
            take="Vpcs",
            keep="VpcId OwnerId IsDefault State CidrBlock Tags",
        ),
        name="VpcId",
        # A shared network belongs to the account that shares it.
        arn="arn:{partition}:ec2:{region}:{OwnerId}:vpc/{VpcId}",
    ),
    Kind(
        "AWS::EC2::Subnet",
        service="ec2",
        within="AWS::EC2::VPC",
        list=Call(
            operation="DescribeSubnets",
            params={"MaxResults": 1000},
            take="Subnets",
            keep="SubnetId OwnerId VpcId AvailabilityZone AvailabilityZoneId MapPublicIpOnLaunch "
            "DefaultForAz State Tags",
        ),
        name="SubnetId",
        arn="arn:{partition}:ec2:{region}:{OwnerId}:subnet/{SubnetId}",
    ),
    Kind(
        "AWS::EC2::RouteTable",
        service="ec2",
        within="AWS::EC2::VPC",
        list=Call(
            operation="DescribeRouteTables",
            params={"MaxResults": 100},
            take="RouteTables",
            keep="RouteTableId OwnerId VpcId Associations Routes Tags",
        ),
        name="RouteTableId",
        arn="arn:{partition}:ec2:{region}:{OwnerId}:route-table/{RouteTableId}",
    ),
    Kind(
        "AWS::EC2::VPCEndpoint",
        service="ec2",
        within="AWS::EC2::VPC",
        list=Call(
            operation="DescribeVpcEndpoints",
            params={"MaxResults": 1000},
            take="VpcEndpoints",
            keep="VpcEndpointId OwnerId VpcEndpointType VpcId ServiceName State PolicyDocument RouteTableIds "
            "SubnetIds Groups PrivateDnsEnabled CreationTimestamp Tags",
        ),
        name="VpcEndpointId",
        arn="arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{VpcEndpointId}",
        decode=("PolicyDocument",),
    ),
    Kind(
        "AWS::EC2::NatGateway",
        service="ec2",
        within="AWS::EC2::VPC",
        list=Call(
            operation="DescribeNatGateways",
            params={"MaxResults": 1000},
            take="NatGateways",
            keep="NatGatewayId State SubnetId VpcId ConnectivityType CreateTime Tags",
        ),
        name="NatGatewayId",
        arn="arn:{partition}:ec2:{region}:{account}:natgateway/{NatGatewayId}",
    ),
    Kind(
        "AWS::EC2::SecurityGroup",
        service="ec2",
        within="AWS::EC2::VPC",
        # Descriptions, of the group and of each of its rules, are not kept.
        list=Call(
            operation="DescribeSecurityGroups",
            params={"MaxResults": 1000},
            take="SecurityGroups[].{GroupId: GroupId, GroupName: GroupName, OwnerId: OwnerId, VpcId: VpcId,"
            f" IpPermissions: {_PEERS}, Tags: Tags}}",
            keep="GroupId GroupName OwnerId VpcId IpPermissions Tags",
        ),
        name="GroupId",
        arn="arn:{partition}:ec2:{region}:{OwnerId}:security-group/{GroupId}",
    ),
    Kind(
        "AWS::EC2::NetworkInterface",
        service="ec2",
        within="AWS::EC2::VPC",
        list=Call(
            operation="DescribeNetworkInterfaces",
            params={"MaxResults": 1000},
            take="NetworkInterfaces[].{NetworkInterfaceId: NetworkInterfaceId, InterfaceType: InterfaceType,"
            " RequesterManaged: RequesterManaged, Status: Status, SubnetId: SubnetId, VpcId: VpcId,"
            " Groups: Groups[].GroupId, PublicIp: Association.PublicIp, InstanceId: Attachment.InstanceId,"
            " Tags: TagSet}",
            keep="NetworkInterfaceId InterfaceType RequesterManaged Status SubnetId VpcId Groups PublicIp "
            "InstanceId Tags",
        ),
        name="NetworkInterfaceId",
        arn="arn:{partition}:ec2:{region}:{account}:network-interface/{NetworkInterfaceId}",
    ),
)
