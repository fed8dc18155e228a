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
                " Status: Status.{State: State}}",
                into="InstanceFleets",
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
        ),
        scrub=("Configurations", "InstanceGroups", "InstanceFleets"),
    ),
    Kind(
        "AWS::EMR::SecurityConfiguration",
        service="emr",
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
)
