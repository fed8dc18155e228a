"""AWS CloudFormation."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::CloudFormation::Stack",
        service="cloudformation",
        # Parameters and Outputs may hold secrets and are not kept.
        list=Call(
            operation="DescribeStacks",
            take="Stacks",
            keep="StackId StackName StackStatus CreationTime LastUpdatedTime DriftInformation RootId "
            "ParentId EnableTerminationProtection RoleARN Tags",
        ),
        name="StackName",
        arn="{StackId}",
        details=(
            Call(
                operation="ListStackResources",
                args={"StackName": "StackId"},
                take="StackResourceSummaries[].{LogicalResourceId: LogicalResourceId,"
                " PhysicalResourceId: PhysicalResourceId, ResourceType: ResourceType,"
                " ResourceStatus: ResourceStatus}",
                into="Resources",
                gone=("ValidationError",),
            ),
        ),
    ),
)
