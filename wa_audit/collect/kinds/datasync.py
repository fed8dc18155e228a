"""AWS DataSync."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::DataSync::Task",
        service="datasync",
        list=Call(
            operation="ListTasks",
            params={"MaxResults": 100},
            take="Tasks",
            keep="TaskArn Name Status TaskMode",
        ),
        # A name is not required.
        name="Name || TaskArn",
        arn="{TaskArn}",
        details=(
            Call(
                operation="DescribeTask",
                args={"TaskArn": "TaskArn"},
                take="@",
                keep="SourceLocationArn DestinationLocationArn CloudWatchLogGroupArn Options Schedule "
                "ScheduleDetails CurrentTaskExecutionArn CreationTime ErrorCode",
                drop="ScheduleDetails.DisabledReason",
            ),
            # CurrentTaskExecutionArn is the most recent execution, whether or not it still runs.
            # https://docs.aws.amazon.com/datasync/latest/userguide/API_DescribeTask.html
            Call(
                operation="DescribeTaskExecution",
                args={"TaskExecutionArn": "CurrentTaskExecutionArn"},
                when="CurrentTaskExecutionArn",
                take="{Status: Status, StartTime: StartTime, EndTime: EndTime,"
                " FilesTransferred: FilesTransferred, BytesTransferred: BytesTransferred,"
                " Result: Result.{ErrorCode: ErrorCode, PrepareStatus: PrepareStatus,"
                " TransferStatus: TransferStatus, VerifyStatus: VerifyStatus}}",
                into="LastExecution",
            ),
            Call(
                operation="ListTagsForResource",
                args={"ResourceArn": "TaskArn"},
                take="Tags",
                into="Tags",
                optional=True,
            ),
        ),
    ),
    Kind(
        "AWS::DataSync::Location",
        service="datasync",
        within="AWS::DataSync::Task",
        list=Call(
            operation="ListLocations",
            params={"MaxResults": 100},
            take="Locations",
            keep="LocationArn LocationUri",
        ),
        name="LocationArn",
        arn="{LocationArn}",
        scrub=("LocationUri",),
    ),
)
