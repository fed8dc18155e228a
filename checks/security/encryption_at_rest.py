"""Data is encrypted where it rests."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    arns,
    check,
    failed,
    lakes,
    logdelivery,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
)


@check("AWS::S3::Bucket")
def s3_bucket_encryption_kms(
    bucket: Resource,
    inventory: Inventory,
    *,
    require_cmk: bool,
    classification_tags: list[str],
    public_classes: list[str],
) -> Verdict:
    """Passes where the bucket's default encryption uses a KMS key.

    S3 has encrypted every new object since 5 January 2023, so a bucket without a key is not unencrypted:
    nobody controls or logs the use of its key. With `require_cmk` the key must be a customer managed one.
    Default encryption says nothing about objects written before it was set, or with a header of their own.
    Exempt are buckets that take S3 server access logs, which are not delivered to a bucket with a KMS key;
    buckets whose policy lets a load balancer (or another log delivery under AWSLogs/) write to them; and
    buckets whose classification tag is one of `public_classes`.
    """
    defaults = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in bucket["Encryption"] or ()]
    default = defaults[0] if defaults else {}
    algorithm, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    evidence = {"SSEAlgorithm": algorithm, "KMSMasterKeyID": key}
    uses_kms = algorithm in ("aws:kms", "aws:kms:dsse")
    if uses_kms and not (require_cmk and not _is_customer_managed(key, bucket, inventory)):
        return passed(f"encrypts new objects with {algorithm}", **evidence)

    if any(arns.parse(log.source).service == "s3" for log in inventory.sources(bucket, "logs-to")):
        return not_applicable(
            "takes S3 server access logs, which are not delivered to a bucket with a KMS key"
        )
    if logdelivery.takes_load_balancer_logs(bucket["Policy"]):
        return not_applicable("takes load balancer logs, by its bucket policy")
    tags = neighbours.plain_tags(bucket)
    for tag in classification_tags:
        if tags.get(tag.lower()) in public_classes:
            return not_applicable(f"holds public data by its tag {tag}", tag=tags[tag.lower()])
    if uses_kms:
        return failed("encrypts with an AWS managed key, where a customer managed key is wanted", **evidence)
    return failed("uses SSE-S3: no KMS key policy governs its objects and no key use is logged", **evidence)


@check("AWS::KMS::Key")
def kms_key_rotation(key: Resource, *, most_days: int) -> Verdict:
    """Passes where KMS rotates the key's material by itself at least once in `most_days` days.

    KMS can rotate only enabled, symmetric customer managed keys whose material it made; all others are out of
    scope: AWS managed keys (which AWS rotates), asymmetric and HMAC keys, imported material, custom and
    external key stores, and multi-Region replicas, which follow their primary.
    """
    if key["KeyManager"] != "CUSTOMER":
        return not_applicable("is an AWS managed key, which AWS rotates", KeyManager=key["KeyManager"])
    if key["KeySpec"] != "SYMMETRIC_DEFAULT":
        return not_applicable(f"is of {key['KeySpec']}, which KMS cannot rotate", KeySpec=key["KeySpec"])
    if key["Origin"] != "AWS_KMS":
        return not_applicable(f"has material of origin {key['Origin']}", Origin=key["Origin"])
    if (key["MultiRegionConfiguration"] or {}).get("MultiRegionKeyType") == "REPLICA":
        return not_applicable("is a replica, which follows its primary key's rotation")
    if key["KeyState"] != "Enabled":
        return not_applicable(f"is in state {key['KeyState']}", KeyState=key["KeyState"])

    rotation = key["Rotation"] or {}
    if not rotation.get("KeyRotationEnabled"):
        return failed("is never rotated", KeyRotationEnabled=False)
    # KMS gives the period only where it rotates; without one it is the default, a year.
    days = rotation.get("RotationPeriodInDays") or 365
    if days > most_days:
        return failed(f"is rotated every {days} days, not every {most_days}", RotationPeriodInDays=days)
    return passed(f"is rotated every {days} days", RotationPeriodInDays=days)


@check("AWS::Glue::DataCatalogEncryptionSettings")
def glue_catalog_encrypted(settings: Resource, inventory: Inventory) -> Verdict:
    """Passes where the Data Catalog's metadata are encrypted with a KMS key.

    Regions without a database are out of scope. Lake Formation hides databases from an auditor who has no
    permission on them: where it has administrators, and the audit ran as none of them, none may have been
    hidden, and nothing is claimed.
    """
    if not inventory.of("AWS::Glue::Database", region=settings.region):
        if lakes.may_hide(inventory, settings.region):
            return not_evaluated("has no database that this audit can see, and Lake Formation may hide some")
        return not_applicable("has no database")
    mode = (settings["EncryptionAtRest"] or {}).get("CatalogEncryptionMode")
    if mode in ("SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"):
        return passed(f"encrypts its metadata with {mode}", CatalogEncryptionMode=mode)
    return failed("does not encrypt its metadata with a KMS key", CatalogEncryptionMode=mode)


@check("AWS::Glue::Job")
def glue_job_security_configuration(job: Resource, inventory: Inventory) -> Verdict:
    """Passes where the job's security configuration encrypts what it writes, its logs and its bookmarks.

    Without one S3 and CloudWatch Logs still encrypt with keys of their own, so what is missing is control
    over the key. A configuration that leaves a part out fails with low severity; bookmarks count only
    where the job uses them (`--job-bookmark-option job-bookmark-enable`).
    """
    name = job["SecurityConfiguration"]
    if not name:
        return failed("has no security configuration: no customer key governs its output and logs")
    arn = f"{job.arn.rpartition(':')[0]}:security-configuration/{name}"
    configuration = inventory.find("AWS::Glue::SecurityConfiguration", arn)
    if configuration is None:
        return failed(
            f"names security configuration {name}, which does not exist", SecurityConfiguration=name
        )

    encryption: dict[str, Any] = configuration["EncryptionConfiguration"] or {}
    s3_modes = [part.get("S3EncryptionMode") for part in encryption.get("S3Encryption") or ()]
    logs_mode = (encryption.get("CloudWatchEncryption") or {}).get("CloudWatchEncryptionMode")
    bookmarks_mode = (encryption.get("JobBookmarksEncryption") or {}).get("JobBookmarksEncryptionMode")
    arguments = {**(job["DefaultArguments"] or {}), **(job["NonOverridableArguments"] or {})}
    keeps_bookmarks = arguments.get("--job-bookmark-option") == "job-bookmark-enable"
    missing = [
        part
        for part, is_missing in (
            ("S3 data", not s3_modes or any(mode not in ("SSE-KMS", "SSE-S3") for mode in s3_modes)),
            ("CloudWatch logs", logs_mode != "SSE-KMS"),
            ("job bookmarks", keeps_bookmarks and bookmarks_mode != "CSE-KMS"),
        )
        if is_missing
    ]
    if missing:
        message = f"has security configuration {name}, which does not cover {' and '.join(missing)}"
        return failed(message, severity="low", SecurityConfiguration=name, missing=missing)
    return passed(f"encrypts by security configuration {name}", SecurityConfiguration=name)


@check("AWS::Athena::WorkGroup")
def athena_workgroup_enforced(workgroup: Resource) -> Verdict:
    """Passes where clients cannot override the workgroup's location and encryption of results.

    Disabled workgroups and those of the Spark engine are out of scope.
    """
    if workgroup["State"] == "DISABLED":
        return not_applicable("is disabled", State="DISABLED")
    configuration = workgroup["Configuration"] or {}
    engine = (configuration.get("EngineVersion") or {}).get("EffectiveEngineVersion") or ""
    if "spark" in engine.lower():
        return not_applicable(f"runs {engine}, not SQL", EffectiveEngineVersion=engine)
    if configuration.get("EnforceWorkGroupConfiguration"):
        return passed("enforces its configuration on clients", EnforceWorkGroupConfiguration=True)
    return failed("lets clients override its location and encryption", EnforceWorkGroupConfiguration=False)


@check("AWS::Athena::WorkGroup")
def athena_workgroup_result_encryption(workgroup: Resource, inventory: Inventory) -> Verdict:
    """Passes where the workgroup chooses how query results are encrypted.

    It does by a result configuration (SSE-S3, SSE-KMS or CSE-KMS), by managed query results, or by
    minimum encryption. Where it does not, the default encryption of the result bucket decides: a KMS key
    passes, SSE-S3 fails with low severity, since S3 encrypts every object anyway. Disabled workgroups are
    out of scope.
    """
    if workgroup["State"] == "DISABLED":
        return not_applicable("is disabled", State="DISABLED")
    configuration = workgroup["Configuration"] or {}
    if (configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"):
        return passed("keeps its results in storage that Athena manages and encrypts")
    results = configuration.get("ResultConfiguration") or {}
    option = (results.get("EncryptionConfiguration") or {}).get("EncryptionOption")
    if option:
        return passed(f"encrypts its results with {option}", EncryptionOption=option)
    if configuration.get("EnableMinimumEncryptionConfiguration"):
        return passed("demands a minimum encryption of results", EnableMinimumEncryptionConfiguration=True)

    location = arns.s3_location(results.get("OutputLocation"))
    if location is None:
        return failed(
            "sets neither encryption nor a location of results: each client decides", severity="low"
        )
    bucket = inventory.find(
        "AWS::S3::Bucket", inventory.arn_near("AWS::S3::Bucket", location.bucket, workgroup)
    )
    if bucket is None:
        return not_evaluated(f"writes results to bucket {location.bucket}, which is not in this account")
    rules = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in bucket["Encryption"] or ()]
    algorithm = rules[0].get("SSEAlgorithm") if rules else "AES256"
    if algorithm in ("aws:kms", "aws:kms:dsse"):
        return passed(
            f"writes results to {location.bucket}, which encrypts with {algorithm}", SSEAlgorithm=algorithm
        )
    message = f"leaves the encryption of results to {location.bucket}, which uses SSE-S3"
    return failed(message, severity="low", SSEAlgorithm=algorithm)


@check("AWS::EMR::Cluster")
def emr_security_configuration(cluster: Resource, inventory: Inventory) -> Verdict:
    """Passes where the cluster's security configuration encrypts its local disks and its traffic.

    The S3 part may be absent, since S3 encrypts EMRFS data anyway. A configuration with only one of the two
    fails and names the other. Clusters that are terminating or terminated are out of scope.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    name = cluster["SecurityConfiguration"]
    if not name:
        return failed(
            "has no security configuration: local disks and traffic between nodes are not encrypted"
        )
    arn = f"{cluster.arn.rpartition(':')[0]}:security-configuration/{name}"
    found = inventory.find("AWS::EMR::SecurityConfiguration", arn)
    if found is None:
        return not_evaluated(f"names security configuration {name}, which is no longer there")

    encryption = (found["SecurityConfiguration"] or {}).get("EncryptionConfiguration") or {}
    disks = (encryption.get("AtRestEncryptionConfiguration") or {}).get("LocalDiskEncryptionConfiguration")
    missing = [
        part
        for part, is_covered in (
            ("local disks", encryption.get("EnableAtRestEncryption") and disks),
            ("data in transit", encryption.get("EnableInTransitEncryption")),
        )
        if not is_covered
    ]
    if missing:
        message = f"has security configuration {name}, which does not encrypt {' and '.join(missing)}"
        return failed(message, SecurityConfiguration=name, missing=missing)
    return passed(f"encrypts at rest and in transit by {name}", SecurityConfiguration=name)


@check("AWS::Kinesis::Stream")
def kinesis_stream_encrypted(stream: Resource, inventory: Inventory, *, require_cmk: bool) -> Verdict:
    """Passes where the stream encrypts its records with a KMS key; Kinesis does not do so by itself.

    The AWS managed key (alias/aws/kinesis) is enough unless `require_cmk` is set. Streams that are being
    created or deleted are out of scope.
    """
    status = stream["StreamStatus"]
    if status in ("CREATING", "DELETING"):
        return not_applicable(f"is {status}", StreamStatus=status)
    if stream["EncryptionType"] != "KMS":
        return failed("does not encrypt its records", EncryptionType=stream["EncryptionType"])
    key = stream["KeyId"]
    if require_cmk and not _is_customer_managed(key, stream, inventory):
        return failed("encrypts with an AWS managed key, where a customer managed key is wanted", KeyId=key)
    return passed("encrypts its records with a KMS key", EncryptionType="KMS", KeyId=key)


@check("AWS::KinesisFirehose::DeliveryStream")
def firehose_sse(stream: Resource) -> Verdict:
    """Passes where a stream that producers write to directly encrypts its buffer.

    Firehose offers this for DirectPut streams alone: with any other source it is the source that encrypts.
    """
    type_ = stream["DeliveryStreamType"]
    if type_ != "DirectPut":
        return not_applicable(
            f"reads its data from a source that encrypts them ({type_})", DeliveryStreamType=type_
        )
    status = (stream["DeliveryStreamEncryptionConfiguration"] or {}).get("Status")
    if status == "ENABLED":
        return passed("encrypts the data that it buffers", Status=status)
    if status == "ENABLING":
        return not_evaluated("is turning server-side encryption on", Status=status)
    return failed("buffers its data without server-side encryption", Status=status)


@check("AWS::SQS::Queue")
def sqs_queue_encrypted(queue: Resource) -> Verdict:
    """Passes where the queue uses SSE-SQS or a KMS key.

    SSE-SQS has been on by default since late 2022 for queues that are created over TLS; older queues keep
    their messages unencrypted until somebody turns it on. Dead-letter queues hold the same messages and
    are judged alike.
    """
    if queue["KmsMasterKeyId"]:
        return passed("encrypts with a KMS key", KmsMasterKeyId=queue["KmsMasterKeyId"])
    if queue["SqsManagedSseEnabled"]:
        return passed("encrypts with SSE-SQS", SqsManagedSseEnabled=True)
    return failed("stores its messages without server-side encryption", SqsManagedSseEnabled=False)


def _is_customer_managed(key: str | None, user: Resource, inventory: Inventory) -> bool:
    """Whether the key that a resource names by id, alias or ARN is customer managed; none is AWS's own."""
    if not key or "alias/aws/" in key:
        return False
    if not key.startswith("arn:"):
        type_ = "AWS::KMS::Alias" if key.startswith("alias/") else "AWS::KMS::Key"
        key = inventory.arn_near(type_, key.removeprefix("alias/"), user)
    if arns.parse(key).account != user.account:
        return True  # AWS managed keys cannot be shared between accounts
    if ":alias/" in key:
        alias = inventory.find("AWS::KMS::Alias", key)
        key = f"{key.partition(':alias/')[0]}:key/{alias['TargetKeyId']}" if alias else None
    found = inventory.find("AWS::KMS::Key", key)
    return found is not None and found["KeyManager"] == "CUSTOMER"


# -- warehouses and search ---------------------------------------------------------------------------


@check("AWS::Redshift::Cluster")
def redshift_cluster_encrypted(cluster: Resource, inventory: Inventory, *, require_cmk: bool) -> Verdict:
    """Passes where the cluster is encrypted, with a KMS key or an HSM.

    With `require_cmk` the key must be a customer managed one, or in an HSM. Clusters made since January 2025
    always are encrypted; older ones, and what was restored from their snapshots, may not be. Serverless
    namespaces always are.
    https://docs.aws.amazon.com/redshift/latest/mgmt/working-with-db-encryption.html
    """
    if not cluster["Encrypted"]:
        return failed("is not encrypted", Encrypted=cluster["Encrypted"])
    key, hsm = cluster["KmsKeyId"], (cluster["HsmStatus"] or {}).get("HsmConfigurationIdentifier")
    if require_cmk and not hsm and not _is_customer_managed(key, cluster, inventory):
        words = "is encrypted with an AWS managed key, where a customer managed key is wanted"
        return failed(words, severity="low", KmsKeyId=key)
    return passed("is encrypted", KmsKeyId=key)


@check("AWS::OpenSearchService::Domain")
def opensearch_encrypted_at_rest(domain: Resource) -> Verdict:
    """Passes where the domain encrypts its indices, logs, swap files and automated snapshots."""
    options = domain["EncryptionAtRestOptions"] or {}
    if options.get("Enabled"):
        return passed("is encrypted", KmsKeyId=options.get("KmsKeyId"))
    return failed("is not encrypted", EncryptionAtRestOptions=options)
