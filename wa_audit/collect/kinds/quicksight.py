"""Amazon QuickSight."""

from wa_audit.collect.kinds import Call, Kind

_ACCOUNT = {"AwsAccountId": "account"}
_DATA_SET = {"AwsAccountId": "account", "DataSetId": "DataSetId"}
_GONE = ("ResourceNotFoundException",)
# The same code also answers in an account whose edition lacks the operation; there, nothing is known.
_NOT_SUBSCRIBED = ("UnsupportedUserEditionException: is not subscribed",)
_TAGS = Call(
    operation="ListTagsForResource",
    args={"ResourceArn": "Arn"},
    take="Tags",
    into="Tags",
    gone=_GONE,
    optional=True,
)

KINDS = (
    Kind(
        "AWS::QuickSight::AccountSettings",
        service="quicksight",
        scope="global",
        # Name and address of the subscription are not kept.
        list=Call(
            operation="DescribeAccountSettings",
            args=_ACCOUNT,
            take="[AccountSettings]",
            keep="Edition PublicSharingEnabled TerminationProtectionEnabled",
            gone=(*_GONE, *_NOT_SUBSCRIBED),
        ),
        name="'settings'",
        arn="arn:{partition}:quicksight::{account}:account-settings",
    ),
    Kind(
        "AWS::QuickSight::DataSource",
        service="quicksight",
        list=Call(
            operation="ListDataSources",
            args=_ACCOUNT,
            params={"MaxResults": 100},
            take="DataSources[].{Arn: Arn, DataSourceId: DataSourceId, Name: Name, Type: Type,"
            " Status: Status, CreatedTime: CreatedTime, LastUpdatedTime: LastUpdatedTime,"
            " SslProperties: SslProperties, VpcConnectionProperties: VpcConnectionProperties,"
            " SecretArn: SecretArn,"
            " DataSourceParameters: DataSourceParameters.{AthenaParameters: AthenaParameters,"
            " RedshiftParameters: RedshiftParameters.{ClusterId: ClusterId, Host: Host},"
            " RdsParameters: RdsParameters.{InstanceId: InstanceId}, S3Parameters: S3Parameters,"
            " AmazonOpenSearchParameters: AmazonOpenSearchParameters}}",
            keep="Arn DataSourceId Name Type Status CreatedTime LastUpdatedTime SslProperties "
            "VpcConnectionProperties SecretArn DataSourceParameters",
            gone=_NOT_SUBSCRIBED,
        ),
        arn="{Arn}",
        details=(_TAGS,),
        scrub=("DataSourceParameters",),
    ),
    Kind(
        "AWS::QuickSight::DataSet",
        service="quicksight",
        list=Call(
            operation="ListDataSets",
            args=_ACCOUNT,
            params={"MaxResults": 100},
            take="DataSetSummaries",
            keep="Arn DataSetId Name ImportMode CreatedTime LastUpdatedTime",
            gone=_NOT_SUBSCRIBED,
        ),
        arn="{Arn}",
        details=(
            # What a set is made of; queries and columns are not kept.
            Call(
                operation="DescribeDataSet",
                args=_DATA_SET,
                take="DataSet.PhysicalTableMap.*.[RelationalTable, S3Source, CustomSql][][?@].DataSourceArn",
                into="DataSources",
                gone=_GONE,
                optional=True,
            ),
            # Only SPICE holds a copy that is refreshed. AWS does not say in which order ingestions come.
            Call(
                operation="ListIngestions",
                args=_DATA_SET,
                params={"MaxResults": 100},
                when="ImportMode == 'SPICE'",
                take="Ingestions[].{IngestionStatus: IngestionStatus, CreatedTime: CreatedTime,"
                " RequestSource: RequestSource, RequestType: RequestType, ErrorType: ErrorInfo.Type}",
                into="Ingestions",
                gone=_GONE,
            ),
            Call(
                operation="ListRefreshSchedules",
                args=_DATA_SET,
                when="ImportMode == 'SPICE'",
                take="RefreshSchedules[].{ScheduleFrequency: ScheduleFrequency,"
                " StartAfterDateTime: StartAfterDateTime, RefreshType: RefreshType}",
                into="RefreshSchedules",
                gone=_GONE,
            ),
            _TAGS,
        ),
    ),
)
