"""No more is moved than need be."""

from wa_audit.rule import Resource, Verdict, check, failed, not_applicable, passed


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_compression(stream: Resource) -> Verdict:
    """Passes where a stream into S3 compresses what it writes.

    With format conversion the format must be UNCOMPRESSED: Parquet and ORC compress by themselves. A stream
    whose records come compressed is tagged wa-audit:compressed-source.
    https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html
    """
    described = [(d.get("ExtendedS3DestinationDescription") or {}) for d in stream["Destinations"] or []]
    found = next((d for d in described if d.get("CompressionFormat")), None)
    if found is None:
        return not_applicable("does not deliver to S3")
    if (found.get("DataFormatConversionConfiguration") or {}).get("Enabled"):
        return not_applicable("converts to a format that compresses by itself")
    form = found["CompressionFormat"]
    if form != "UNCOMPRESSED":
        return passed(f"writes {form}", CompressionFormat=form)
    if "wa-audit:compressed-source" in stream.tags:
        return not_applicable("is tagged wa-audit:compressed-source")
    return failed("writes uncompressed objects", CompressionFormat=form)
