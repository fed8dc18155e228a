"""Amazon Data Firehose."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundException",)
_NAME = {"DeliveryStreamName": "DeliveryStreamName"}

# A destination's credentials are not readable, but its HTTP endpoint's common attributes are the user's own
# text and may hold a token, and processors' parameters may hold anything: neither is kept.
_S3 = (
    "{{RoleARN: RoleARN, BucketARN: BucketARN, Prefix: Prefix, ErrorOutputPrefix: ErrorOutputPrefix,"
    " BufferingHints: BufferingHints, CompressionFormat: CompressionFormat,"
    " EncryptionConfiguration: EncryptionConfiguration,"
    " CloudWatchLoggingOptions: CloudWatchLoggingOptions{more}}}"
)
_PLAIN_S3 = _S3.format(more="")
_EXTENDED_S3 = _S3.format(
    more=", S3BackupMode: S3BackupMode,"
    f" S3BackupDescription: S3BackupDescription.{_PLAIN_S3},"
    " DynamicPartitioningConfiguration: DynamicPartitioningConfiguration,"
    " FileExtension: FileExtension,"
    " ProcessingConfiguration: {Enabled: ProcessingConfiguration.Enabled,"
    "  Processors: ProcessingConfiguration.Processors[].{Type: Type,"
    "   LambdaArn: Parameters[?ParameterName=='LambdaArn'] | [0].ParameterValue}},"
    " DataFormatConversionConfiguration: DataFormatConversionConfiguration"
)


def _other(s3: str = "S3DestinationDescription", **more: str) -> str:
    fields = "".join(f", {name}: {path}" for name, path in more.items())
    return f"{{RoleARN: RoleARN, S3BackupMode: S3BackupMode, S3DestinationDescription: {s3}.{_PLAIN_S3}{fields}}}"


_DESTINATIONS = (
    "DeliveryStreamDescription.Destinations[].{DestinationId: DestinationId,"
    f" ExtendedS3DestinationDescription: ExtendedS3DestinationDescription.{_EXTENDED_S3},"
    f" S3DestinationDescription: S3DestinationDescription.{_PLAIN_S3},"
    " RedshiftDestinationDescription: RedshiftDestinationDescription."
    + _other(TableName="CopyCommand.DataTableName", S3BackupDescription=f"S3BackupDescription.{_PLAIN_S3}")
    + ", AmazonopensearchserviceDestinationDescription: AmazonopensearchserviceDestinationDescription."
    + _other(DomainARN="DomainARN", IndexName="IndexName")
    + ", ElasticsearchDestinationDescription: ElasticsearchDestinationDescription."
    + _other(DomainARN="DomainARN", IndexName="IndexName")
    + ", AmazonOpenSearchServerlessDestinationDescription: AmazonOpenSearchServerlessDestinationDescription."
    + _other(CollectionEndpoint="CollectionEndpoint", IndexName="IndexName")
    + ", SplunkDestinationDescription: SplunkDestinationDescription."
    + _other()
    + ", HttpEndpointDestinationDescription: HttpEndpointDestinationDescription."
    + _other()
    + ", SnowflakeDestinationDescription: SnowflakeDestinationDescription."
    + _other()
    + ", IcebergDestinationDescription: IcebergDestinationDescription."
    + _other(CatalogConfiguration="CatalogConfiguration")
    + "}"
)

KINDS = (
    Kind(
        "AWS::KinesisFirehose::DeliveryStream",
        service="firehose",
        # Pages by the last name and a flag; botocore has no paginator for it.
        list=Call(
            operation="ListDeliveryStreams",
            params={"Limit": 10000},
            take="DeliveryStreamNames[].{DeliveryStreamName: @}",
            keep="DeliveryStreamName",
            token="ExclusiveStartDeliveryStreamName",
            next="(HasMoreDeliveryStreams && DeliveryStreamNames[-1]) || null",
        ),
        name="DeliveryStreamName",
        arn="arn:{partition}:firehose:{region}:{account}:deliverystream/{DeliveryStreamName}",
        details=(
            Call(
                operation="DescribeDeliveryStream",
                args=_NAME,
                take="{DeliveryStreamStatus: DeliveryStreamDescription.DeliveryStreamStatus,"
                " DeliveryStreamType: DeliveryStreamDescription.DeliveryStreamType,"
                " DeliveryStreamEncryptionConfiguration:"
                "  DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration,"
                " CreateTimestamp: DeliveryStreamDescription.CreateTimestamp,"
                " Source: DeliveryStreamDescription.Source,"
                f" Destinations: {_DESTINATIONS}}}",
                keep="DeliveryStreamStatus DeliveryStreamType DeliveryStreamEncryptionConfiguration "
                "CreateTimestamp Source Destinations",
                gone=_GONE,
            ),
            Call(operation="ListTagsForDeliveryStream", args=_NAME, take="Tags", into="Tags", gone=_GONE),
        ),
    ),
)
