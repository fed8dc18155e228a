"""AWS Lambda."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import NOTHING_RESERVED, tags

_GONE = ("ResourceNotFoundException",)
_NAME = {"FunctionName": "FunctionName"}

KINDS = (
    Kind(
        "AWS::Lambda::AccountSettings",
        service="lambda",
        list=Call(
            operation="GetAccountSettings",
            take="[AccountLimit]",
            keep="ConcurrentExecutions UnreservedConcurrentExecutions TotalCodeSize",
        ),
        name="'account'",
        arn="arn:{partition}:lambda:{region}:{account}:account-settings",
    ),
    Kind(
        "AWS::Lambda::Function",
        service="lambda",
        list=Call(
            operation="ListFunctions",
            params={"MaxItems": 50},
            take="Functions",
            keep="FunctionName FunctionArn Runtime Role Timeout MemorySize LastModified VpcConfig "
            "DeadLetterConfig Environment KMSKeyArn TracingConfig Layers State PackageType Architectures "
            "EphemeralStorage LoggingConfig SnapStart MasterArn",
        ),
        name="FunctionName",
        arn="{FunctionArn}",
        details=(
            Call(
                operation="GetPolicy",
                args=_NAME,
                take="Policy",
                into="Policy",
                absent=("ResourceNotFoundException",),
            ),
            # A URL without authentication lets in whom the policy lets in: everyone has a star.
            # https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
            Call(
                operation="ListFunctionUrlConfigs",
                args=_NAME,
                when="Policy && (contains(Policy, '*') || contains(Policy, 'NotPrincipal'))",
                take="FunctionUrlConfigs[].{AuthType: AuthType, FunctionArn: FunctionArn}",
                into="FunctionUrlConfigs",
                gone=_GONE,
            ),
            Call(
                operation="ListFunctionEventInvokeConfigs",
                args=_NAME,
                take="FunctionEventInvokeConfigs",
                into="EventInvokeConfigs",
                gone=_GONE,
            ),
            # An answer without the number means that no concurrency is reserved.
            Call(
                operation="GetFunctionConcurrency",
                args=_NAME,
                take="ReservedConcurrentExecutions",
                into="ReservedConcurrentExecutions",
                gone=_GONE,
                optional=True,
                aid=NOTHING_RESERVED,
            ),
            Call(
                operation="ListTags",
                args={"Resource": "FunctionArn"},
                take="Tags",
                into="Tags",
                aid=tags("lambda:function"),
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=("Policy",),
        secrets={"Environment.Variables": frozenset({"AWS_LAMBDA_EXEC_WRAPPER"})},
    ),
    Kind(
        "AWS::Lambda::EventSourceMapping",
        service="lambda",
        list=Call(
            operation="ListEventSourceMappings",
            params={"MaxItems": 100},
            take="EventSourceMappings",
            keep="UUID BatchSize MaximumBatchingWindowInSeconds ParallelizationFactor EventSourceArn "
            "ScalingConfig FunctionArn State DestinationConfig Topics Queues SelfManagedEventSource "
            "MaximumRecordAgeInSeconds BisectBatchOnFunctionError MaximumRetryAttempts FunctionResponseTypes "
            "AmazonManagedKafkaEventSourceConfig SelfManagedKafkaEventSourceConfig ProvisionedPollerConfig "
            "TumblingWindowInSeconds",
        ),
        name="UUID",
        arn="arn:{partition}:lambda:{region}:{account}:event-source-mapping:{UUID}",
    ),
)
