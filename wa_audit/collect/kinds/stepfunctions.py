"""AWS Step Functions."""

from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.kinds.aids import tags

_GONE = ("StateMachineDoesNotExist", "ResourceNotFound")

KINDS = (
    Kind(
        "AWS::StepFunctions::StateMachine",
        service="stepfunctions",
        list=Call(
            operation="ListStateMachines",
            params={"maxResults": 1000},
            take="stateMachines",
            keep="stateMachineArn name type",
        ),
        name="name",
        arn="{stateMachineArn}",
        details=(
            Call(
                operation="DescribeStateMachine",
                args={"stateMachineArn": "stateMachineArn"},
                take="@",
                keep="status definition roleArn loggingConfiguration tracingConfiguration "
                "encryptionConfiguration creationDate",
                gone=_GONE,
            ),
            Call(
                operation="ListTagsForResource",
                args={"resourceArn": "stateMachineArn"},
                take="tags",
                into="Tags",
                aid=tags("states:stateMachine"),
                gone=_GONE,
                optional=True,
            ),
        ),
        decode=("definition",),
        scrub=("definition",),
    ),
)
