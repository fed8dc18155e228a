"""AWS Config."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::Config::ConfigurationRecorder",
        service="config",
        # Without a name AWS gives the account's own recorder and none of those that other services run.
        # https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorders.html
        list=Call(
            operation="DescribeConfigurationRecorders",
            take="ConfigurationRecorders",
            keep="name roleARN recordingGroup recordingMode recordingScope servicePrincipal",
        ),
        name="name",
        arn="arn:{partition}:config:{region}:{account}:configuration-recorder/{name}",
        details=(
            Call(
                operation="DescribeConfigurationRecorderStatus",
                args={"ConfigurationRecorderNames": "[name]"},
                take="ConfigurationRecordersStatus[0].{recording: recording, lastStatus: lastStatus,"
                " lastStartTime: lastStartTime, lastStopTime: lastStopTime, lastErrorCode: lastErrorCode}",
                into="Status",
                gone=("NoSuchConfigurationRecorderException",),
            ),
        ),
    ),
    Kind(
        "AWS::Config::DeliveryChannel",
        service="config",
        within="AWS::Config::ConfigurationRecorder",
        list=Call(
            operation="DescribeDeliveryChannels",
            take="DeliveryChannels",
            keep="name s3BucketName s3KmsKeyArn snsTopicARN configSnapshotDeliveryProperties",
        ),
        name="name",
        arn="arn:{partition}:config:{region}:{account}:delivery-channel/{name}",
    ),
)
