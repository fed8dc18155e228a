"""No more is moved than need be."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    firehose,
    not_applicable,
    passed,
    wasted,
)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_compression(stream: Resource, inventory: Inventory, *, compressed_percent: int) -> Verdict:
    """Passes where a stream into S3 compresses what it writes.

    With format conversion the format must be UNCOMPRESSED: Parquet and ORC compress by themselves. A stream
    whose records come compressed is tagged wa-audit:compressed-source. Waste is estimated as if
    compression took away `compressed_percent` of what the stream takes in.
    https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html
    """
    destination = firehose.s3_destination(stream["Destinations"]) or {}
    form = destination.get("CompressionFormat")
    if not form:
        return not_applicable("does not deliver to S3")
    if (destination.get("DataFormatConversionConfiguration") or {}).get("Enabled"):
        return not_applicable("converts to a format that compresses by itself")
    if form != "UNCOMPRESSED":
        return passed(f"writes {form}", CompressionFormat=form)
    if "wa-audit:compressed-source" in stream.tags:
        return not_applicable("is tagged wa-audit:compressed-source")
    return failed(
        "writes uncompressed objects",
        CompressionFormat=form,
        waste=wasted.compression(stream, inventory.run.metrics_days, compressed_percent),
    )
