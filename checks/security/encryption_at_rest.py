"""Data is encrypted where it rests."""

from wa_audit.rule import Resource, Verdict, check, failed, passed


@check("AWS::SQS::Queue")
def sqs_queue_encrypted(queue: Resource) -> Verdict:
    """Passes where the queue uses SSE-SQS or a KMS key."""
    if queue["KmsMasterKeyId"]:
        return passed("encrypts with a KMS key", KmsMasterKeyId=queue["KmsMasterKeyId"])
    if queue["SqsManagedSseEnabled"]:
        return passed("encrypts with SSE-SQS", SqsManagedSseEnabled=True)
    return failed("stores its messages without server-side encryption", SqsManagedSseEnabled=False)
