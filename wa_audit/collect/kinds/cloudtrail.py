"""AWS CloudTrail."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("TrailNotFoundException",)

KINDS = (
    Kind(
        "AWS::CloudTrail::Trail",
        service="cloudtrail",
        # Each region also lists the trails that reach into it from elsewhere, an organization's among them.
        # They are read at home, where alone every call answers by ARN.
        # https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
        region="HomeRegion",
        elsewhere=True,
        list=Call(
            operation="DescribeTrails",
            params={"includeShadowTrails": True},
            take="trailList",
            keep="TrailARN Name HomeRegion S3BucketName SnsTopicARN IsMultiRegionTrail IsOrganizationTrail "
            "IncludeGlobalServiceEvents LogFileValidationEnabled CloudWatchLogsLogGroupArn KmsKeyId "
            "HasCustomEventSelectors",
        ),
        arn="{TrailARN}",
        details=(
            Call(
                operation="GetTrailStatus",
                args={"Name": "TrailARN"},
                take="{IsLogging: IsLogging, LatestDeliveryTime: LatestDeliveryTime,"
                " LatestDeliveryError: LatestDeliveryError}",
                into="Status",
                gone=_GONE,
            ),
            Call(
                operation="GetEventSelectors",
                args={"TrailName": "TrailARN"},
                take="{EventSelectors: EventSelectors, AdvancedEventSelectors: AdvancedEventSelectors}",
                keep="EventSelectors AdvancedEventSelectors",
                gone=_GONE,
            ),
        ),
    ),
    Kind(
        "AWS::CloudTrail::EventDataStore",
        service="cloudtrail",
        list=Call(
            operation="ListEventDataStores",
            params={"MaxResults": 1000},
            take="EventDataStores",
            keep="EventDataStoreArn Name",
            token="NextToken",
            next="NextToken",
        ),
        arn="{EventDataStoreArn}",
        details=(
            Call(
                operation="GetEventDataStore",
                args={"EventDataStore": "EventDataStoreArn"},
                take="@",
                keep="Status MultiRegionEnabled OrganizationEnabled AdvancedEventSelectors RetentionPeriod "
                "CreatedTimestamp KmsKeyId",
                gone=("EventDataStoreNotFoundException",),
            ),
        ),
    ),
)
