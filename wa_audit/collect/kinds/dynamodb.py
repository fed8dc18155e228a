"""Amazon DynamoDB, with the scaling that Application Auto Scaling does for it and for MSK."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("ResourceNotFoundException", "TableNotFoundException")
_NAME = {"TableName": "TableName"}

KINDS = (
    Kind(
        "AWS::DynamoDB::Table",
        service="dynamodb",
        list=Call(operation="ListTables", take="TableNames[].{TableName: @}", keep="TableName"),
        name="TableName",
        arn="arn:{partition}:dynamodb:{region}:{account}:table/{TableName}",
        details=(
            Call(
                operation="DescribeTable",
                args=_NAME,
                take="Table",
                keep="TableStatus CreationDateTime ProvisionedThroughput TableSizeBytes ItemCount "
                "BillingModeSummary GlobalSecondaryIndexes StreamSpecification LatestStreamArn Replicas "
                "SSEDescription TableClassSummary DeletionProtectionEnabled",
                gone=_GONE,
            ),
            Call(
                operation="DescribeContinuousBackups",
                args=_NAME,
                take="ContinuousBackupsDescription",
                into="ContinuousBackups",
                gone=_GONE,
            ),
            Call(
                operation="ListTagsOfResource",
                args={"ResourceArn": "arn"},
                take="Tags",
                into="Tags",
                aid=tags("dynamodb:table"),
                gone=_GONE,
                optional=True,
            ),
        ),
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        service="application-autoscaling",
        within="AWS::DynamoDB::Table AWS::MSK::Cluster",
        list=Call(
            operation="DescribeScalableTargets",
            each=({"ServiceNamespace": "dynamodb"}, {"ServiceNamespace": "kafka"}),
            take="ScalableTargets",
            keep="ServiceNamespace ResourceId ScalableDimension MinCapacity MaxCapacity SuspendedState",
        ),
        name="ScalableDimension",
        # Moto and older regions give no ScalableTargetARN, so it is built from what identifies the target.
        arn="arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/"
        "{ServiceNamespace}/{ResourceId}/{ScalableDimension}",
        details=(
            # A target without a policy never scales.
            Call(
                operation="DescribeScalingPolicies",
                args={
                    "ServiceNamespace": "ServiceNamespace",
                    "ResourceId": "ResourceId",
                    "ScalableDimension": "ScalableDimension",
                },
                take="ScalingPolicies[].{PolicyName: PolicyName, PolicyType: PolicyType,"
                " TargetTrackingScalingPolicyConfiguration: TargetTrackingScalingPolicyConfiguration"
                ".{TargetValue: TargetValue, DisableScaleIn: DisableScaleIn}}",
                into="ScalingPolicies",
            ),
        ),
    ),
)
