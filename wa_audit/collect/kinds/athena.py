"""Amazon Athena."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::Athena::WorkGroup",
        service="athena",
        list=Call(
            operation="ListWorkGroups",
            params={"MaxResults": 50},
            take="WorkGroups",
            keep="Name State EngineVersion",
            token="NextToken",
            next="NextToken",
        ),
        arn="arn:{partition}:athena:{region}:{account}:workgroup/{Name}",
        details=(
            Call(
                operation="GetWorkGroup",
                args={"WorkGroup": "Name"},
                take="WorkGroup.Configuration",
                into="Configuration",
                optional=True,
            ),
            Call(
                operation="ListTagsForResource",
                args={"ResourceARN": "arn"},
                take="Tags",
                into="Tags",
                optional=True,
            ),
        ),
    ),
    Kind(
        "AWS::Athena::CapacityReservation",
        service="athena",
        within="AWS::Athena::WorkGroup",
        list=Call(
            operation="ListCapacityReservations",
            params={"MaxResults": 50},
            take="CapacityReservations",
            keep="Name Status TargetDpus",
            token="NextToken",
            next="NextToken",
        ),
        arn="arn:{partition}:athena:{region}:{account}:capacity-reservation/{Name}",
        details=(
            Call(
                operation="GetCapacityAssignmentConfiguration",
                args={"CapacityReservationName": "Name"},
                take="CapacityAssignmentConfiguration.CapacityAssignments",
                into="CapacityAssignments",
                optional=True,
            ),
        ),
    ),
)
