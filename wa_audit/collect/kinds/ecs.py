"""Amazon ECS."""

from wa_audit.collect.kinds import Call, Kind

# What of a task definition is kept: images, roles and sizes. Commands and labels are the user's own text.
_DEFINITION = (
    "taskDefinition.{taskDefinitionArn: taskDefinitionArn, family: family, revision: revision,"
    " taskRoleArn: taskRoleArn, executionRoleArn: executionRoleArn, networkMode: networkMode,"
    " compatibilities: compatibilities, requiresCompatibilities: requiresCompatibilities, cpu: cpu,"
    " memory: memory, runtimePlatform: runtimePlatform, ephemeralStorage: ephemeralStorage,"
    " registeredAt: registeredAt, containerDefinitions: containerDefinitions[].{name: name, image: image,"
    " cpu: cpu, memory: memory, resourceRequirements: resourceRequirements, environment: environment,"
    " secrets: secrets,"
    ' logConfiguration: logConfiguration.{logDriver: logDriver, logGroup: options."awslogs-group"}}}'
)
# ECS has no code of its own for a task definition that is not there.
_UNDEFINED = ("ClientException: Unable to describe task definition",)
_ENVIRONMENT = "containerDefinitions[].environment[]"

KINDS = (
    Kind(
        "AWS::ECS::Cluster",
        service="ecs",
        list=Call(
            operation="ListClusters",
            params={"maxResults": 100},
            take="clusterArns[].{clusterArn: @}",
            keep="clusterArn",
        ),
        name="clusterArn",
        arn="{clusterArn}",
        details=(
            Call(
                operation="DescribeClusters",
                args={"clusters": "[clusterArn]"},
                params={"include": ["SETTINGS", "TAGS"]},
                failures="failures[].reason",
                take="clusters[0].merge(@, {Tags: tags})",
                keep="status settings capacityProviders defaultCapacityProviderStrategy Tags "
                "registeredContainerInstancesCount runningTasksCount",
                gone=("MISSING", "ClusterNotFoundException"),
            ),
        ),
    ),
    Kind(
        "AWS::ECS::Service",
        service="ecs",
        parent="AWS::ECS::Cluster",
        # An ARN of the old form does not name the cluster.
        inherits="clusterArn",
        list=Call(
            operation="ListServices",
            args={"cluster": "clusterArn"},
            params={"maxResults": 100},
            take="serviceArns[].{serviceArn: @}",
            keep="serviceArn",
            gone=("ClusterNotFoundException",),
        ),
        name="serviceArn",
        arn="{serviceArn}",
        details=(
            Call(
                operation="DescribeServices",
                args={"cluster": "clusterArn", "services": "[serviceArn]"},
                params={"include": ["TAGS"]},
                failures="failures[].reason",
                take="services[0].merge(@, {Tags: tags})",
                keep="status desiredCount runningCount launchType capacityProviderStrategy platformVersion "
                "taskDefinition roleArn createdAt networkConfiguration schedulingStrategy "
                "availabilityZoneRebalancing Tags",
                gone=("MISSING", "ClusterNotFoundException"),
            ),
            Call(
                operation="DescribeTaskDefinition",
                args={"taskDefinition": "taskDefinition"},
                when="taskDefinition",
                take=_DEFINITION,
                into="definition",
                gone=_UNDEFINED,
            ),
        ),
        secrets={f"definition.{_ENVIRONMENT}": frozenset()},
    ),
    Kind(
        "AWS::ECS::TaskDefinition",
        service="ecs",
        # One resource a family, described by its newest active revision: the old ones can be thousands.
        list=Call(
            operation="ListTaskDefinitionFamilies",
            params={"status": "ACTIVE", "maxResults": 100},
            take="families[].{family: @}",
            keep="family",
        ),
        name="family",
        arn="arn:{partition}:ecs:{region}:{account}:task-definition/{family}",
        details=(
            Call(
                operation="DescribeTaskDefinition",
                args={"taskDefinition": "family"},
                params={"include": ["TAGS"]},
                take=_DEFINITION.replace("family: family, ", ""),
                keep="taskDefinitionArn revision taskRoleArn executionRoleArn networkMode compatibilities "
                "requiresCompatibilities cpu memory runtimePlatform ephemeralStorage registeredAt "
                "containerDefinitions",
                gone=_UNDEFINED,
            ),
        ),
        secrets={_ENVIRONMENT: frozenset()},
    ),
)
