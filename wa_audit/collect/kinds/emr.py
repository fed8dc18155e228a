"""Amazon EMR."""

from wa_audit.collect.kinds import Call, Kind

_CLUSTER = {"ClusterId": "Id"}
# Two months of terminated clusters are listed too unless the live states are asked for.
_LIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]

KINDS = (
    Kind(
        "AWS::EMR::Cluster",
        service="emr",
        list=Call(
            operation="ListClusters",
            params={"ClusterStates": _LIVE},
            take="Clusters",
            keep="Id Name ClusterArn",
        ),
        # Moto and old clusters give no ClusterArn.
        arn="arn:{partition}:elasticmapreduce:{region}:{account}:cluster/{Id}",
        details=(
            Call(
                operation="DescribeCluster",
                args=_CLUSTER,
                take="Cluster",
                keep="Status Ec2InstanceAttributes InstanceCollectionType LogUri LogEncryptionKmsKeyId "
                "ReleaseLabel AutoTerminate TerminationProtected Applications Tags ServiceRole "
                "Configurations SecurityConfiguration AutoScalingRole CustomAmiId StepConcurrencyLevel "
                "MonitoringConfiguration",
            ),
            Call(
                operation="ListInstanceGroups",
                args=_CLUSTER,
                when="InstanceCollectionType != 'INSTANCE_FLEET'",
                take="InstanceGroups[].{Name: Name, Market: Market, InstanceGroupType: InstanceGroupType,"
                " InstanceType: InstanceType, RequestedInstanceCount: RequestedInstanceCount,"
                " RunningInstanceCount: RunningInstanceCount, Configurations: Configurations,"
                " AutoScalingPolicy: AutoScalingPolicy.{Status: Status, Constraints: Constraints},"
                " Status: Status.{State: State}}",
                into="InstanceGroups",
            ),
            Call(
                operation="ListInstanceFleets",
                args=_CLUSTER,
                when="InstanceCollectionType == 'INSTANCE_FLEET'",
                take="InstanceFleets[].{Name: Name, InstanceFleetType: InstanceFleetType,"
                " TargetOnDemandCapacity: TargetOnDemandCapacity, TargetSpotCapacity: TargetSpotCapacity,"
                " InstanceTypeSpecifications: InstanceTypeSpecifications[].{InstanceType: InstanceType,"
                " WeightedCapacity: WeightedCapacity, Configurations: Configurations},"
                " LaunchSpecifications: LaunchSpecifications.{SpotSpecification: SpotSpecification,"
                " OnDemandSpecification: OnDemandSpecification},"
                " Status: Status.{State: State}}",
                into="InstanceFleets",
            ),
            # The arguments of steps hold anything; of them is kept what they refer to, and how Spark is set.
            Call(
                operation="ListSteps",
                args=_CLUSTER,
                take="Steps[].{Id: Id, Name: Name, State: Status.State, ActionOnFailure: ActionOnFailure,"
                " Args: Config.Args}",
                into="Steps",
                optional=True,
                pages=2,
            ),
            Call(
                operation="GetManagedScalingPolicy",
                args=_CLUSTER,
                take="ManagedScalingPolicy",
                into="ManagedScalingPolicy",
                optional=True,
            ),
            Call(
                operation="GetAutoTerminationPolicy",
                args=_CLUSTER,
                take="AutoTerminationPolicy",
                into="AutoTerminationPolicy",
                optional=True,
            ),
            Call(
                operation="ListInstances",
                args=_CLUSTER,
                params={"InstanceStates": ["PROVISIONING", "BOOTSTRAPPING", "RUNNING"]},
                take="Instances[].{Ec2InstanceId: Ec2InstanceId, InstanceType: InstanceType,"
                " PublicIpAddress: PublicIpAddress}",
                into="Instances",
            ),
            # How much memory the cluster's instances have. As a filter, types may repeat.
            Call(
                operation="DescribeInstanceTypes",
                service="ec2",
                args={
                    "Filters": "[{Name: 'instance-type', Values: InstanceGroups[].InstanceType"
                    " || InstanceFleets[].InstanceTypeSpecifications[].InstanceType}]"
                },
                when="InstanceGroups || InstanceFleets",
                take="InstanceTypes[].{InstanceType: InstanceType, VCpus: VCpuInfo.DefaultVCpus,"
                " MemoryMiB: MemoryInfo.SizeInMiB}",
                into="InstanceTypes",
            ),
        ),
        refers=("Steps[].Args",),
        submits=("Steps[].Args",),
        scrub=("Configurations", "InstanceGroups", "InstanceFleets", "Steps"),
    ),
    Kind(
        "AWS::EMR::SecurityConfiguration",
        service="emr",
        within="AWS::EMR::Cluster",
        list=Call(operation="ListSecurityConfigurations", take="SecurityConfigurations", keep="Name"),
        arn="arn:{partition}:elasticmapreduce:{region}:{account}:security-configuration/{Name}",
        details=(
            Call(
                operation="DescribeSecurityConfiguration",
                args={"Name": "Name"},
                take="SecurityConfiguration",
                into="SecurityConfiguration",
            ),
        ),
        decode=("SecurityConfiguration",),
    ),
    Kind(
        "AWS::EMR::BlockPublicAccessConfiguration",
        service="emr",
        list=Call(
            operation="GetBlockPublicAccessConfiguration",
            take="[BlockPublicAccessConfiguration]",
            keep="BlockPublicSecurityGroupRules PermittedPublicSecurityGroupRuleRanges",
        ),
        name="'block-public-access'",
        arn="arn:{partition}:elasticmapreduce:{region}:{account}:block-public-access",
    ),
    Kind(
        "AWS::EMR::ReleaseLabel",
        service="emr",
        list=Call(
            operation="ListReleaseLabels",
            params={"MaxResults": 100},
            take="ReleaseLabels[].{ReleaseLabel: @}",
            keep="ReleaseLabel",
            token="NextToken",
            next="NextToken",
        ),
        name="ReleaseLabel",
        # What AWS offers has no ARN.
        arn="arn:{partition}:elasticmapreduce:{region}:{account}:release-label/{ReleaseLabel}",
    ),
)
