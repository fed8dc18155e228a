"""What runs leaves a trace that can be read afterwards."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    activity,
    check,
    failed,
    not_applicable,
    passed,
)


@check("AWS::EMR::Cluster")
def emr_cluster_logging(cluster: Resource) -> Verdict:
    """Passes where the cluster's logs outlive it, in S3 (LogUri) or in CloudWatch Logs.

    A pass mentions logs in S3 that no KMS key of LogEncryptionKmsKeyId encrypts. Clusters that are
    terminating or terminated are not judged.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    if uri := cluster["LogUri"]:
        if cluster["LogEncryptionKmsKeyId"]:
            return passed("archives its logs in S3", LogUri=uri)
        return passed("archives its logs in S3, though under no KMS key of its own", LogUri=uri)
    monitoring = cluster["MonitoringConfiguration"] or {}
    if (monitoring.get("CloudWatchLogConfiguration") or {}).get("Enabled"):
        return passed("sends its logs to CloudWatch Logs", CloudWatchLogConfiguration=True)
    return failed("keeps its logs on its own disks alone: it has no LogUri", LogUri=None)


@check("AWS::Lambda::Function")
def lambda_tracing(function: Resource, inventory: Inventory) -> Verdict:
    """Passes where TracingConfig.Mode is Active, or an OpenTelemetry layer's wrapper starts the function.

    PassThrough, the default, traces only what an upstream service chose to sample. A function that nothing of
    a pipeline calls is not judged: no event source mapping, event rule, subscription, bucket notification,
    state machine or Firehose transformation that was read names it. What calls it from outside these, such as
    an API, is not looked at.
    """
    mode = (function["TracingConfig"] or {}).get("Mode", "PassThrough")
    if mode == "Active":
        return passed("traces with X-Ray", Mode=mode)
    variables = (function["Environment"] or {}).get("Variables") or {}
    wrapper = variables.get("AWS_LAMBDA_EXEC_WRAPPER") or ""
    if wrapper.startswith("/opt/otel-"):
        return passed("traces with OpenTelemetry", AWS_LAMBDA_EXEC_WRAPPER=wrapper)
    if any(inventory.has_source(function, kind) for kind in ("triggers", "starts", "transforms-with")):
        return failed(f"starts no traces: its tracing mode is {mode}", Mode=mode)
    return not_applicable("is not part of a pipeline")


@check("AWS::StepFunctions::StateMachine")
def sfn_logging(machine: Resource) -> Verdict:
    """Passes where the log level is ERROR, FATAL or ALL.

    Level OFF is worse for an EXPRESS workflow: Step Functions keeps no history of its executions, so the log
    is all there is. A pass mentions includeExecutionData, which writes the data itself into the log.
    """
    logging = machine["loggingConfiguration"] or {}
    level = logging.get("level", "OFF")
    if level != "OFF":
        note = ", with the data of each execution" if logging.get("includeExecutionData") else ""
        return passed(f"logs at level {level}{note}", level=level, includeExecutionData=bool(note))
    if machine["type"] == "EXPRESS":
        return failed("logs nothing, and an EXPRESS workflow keeps no history", severity="high", level=level)
    return failed("logs nothing: its log level is OFF", level=level)


@check("AWS::StepFunctions::StateMachine")
def sfn_tracing(machine: Resource) -> Verdict:
    """Passes where X-Ray tracing is enabled (tracingConfiguration.enabled)."""
    if (machine["tracingConfiguration"] or {}).get("enabled"):
        return passed("traces its executions with X-Ray", enabled=True)
    return failed("does not trace its executions", enabled=False)


@check("AWS::MSK::Cluster")
def msk_broker_logs(cluster: Resource) -> Verdict:
    """Passes where the brokers' logs go to CloudWatch Logs, Firehose or S3."""
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless, and has no broker logs", ClusterType="SERVERLESS")
    logs = ((cluster["Provisioned"] or {}).get("LoggingInfo") or {}).get("BrokerLogs") or {}
    places = sorted(name for name, settings in logs.items() if (settings or {}).get("Enabled"))
    if places:
        return passed(f"sends its brokers' logs to {', '.join(places)}", BrokerLogs=places)
    return failed("keeps no logs of its brokers", BrokerLogs=[])


_OBSERVED = ("--enable-metrics", "--enable-observability-metrics")


@check("AWS::Glue::Job")
def glue_job_observability(job: Resource) -> Verdict:
    """Passes where a Spark job reports its metrics, and before Glue 5.0 its logs as it runs.

    `--enable-metrics` counts by being there, whatever its value but false; from Glue 4.0 on
    `--enable-observability-metrics` is wanted too. Glue 5.0 streams its logs by itself.
    https://docs.aws.amazon.com/glue/latest/dg/monitor-observability.html
    """
    if (job["Command"] or {}).get("Name") not in ("glueetl", "gluestreaming"):
        return not_applicable("is no Spark job", Command=(job["Command"] or {}).get("Name"))
    arguments = job["DefaultArguments"] or {}
    major = str(job["GlueVersion"] or "").partition(".")[0]
    version = int(major) if major.isdigit() else 0
    wanted = list(_OBSERVED if version >= 4 or not version else _OBSERVED[:1])
    wanted += ["--enable-continuous-cloudwatch-log"] if 0 < version < 5 else []
    missing = [name for name in wanted if str(arguments.get(name, "false")).lower() == "false"]
    if missing:
        return failed(f"runs without {', '.join(missing)}", missing=missing, GlueVersion=job["GlueVersion"])
    return passed("reports what it does", arguments=wanted)


@check("AWS::DataSync::Task")
def datasync_task_logging(task: Resource) -> Verdict:
    """Passes where the task writes to a log group (CloudWatchLogGroupArn) and its LogLevel is not OFF.

    https://docs.aws.amazon.com/datasync/latest/userguide/configure-logging.html
    """
    level, group = (task["Options"] or {}).get("LogLevel", "OFF"), task["CloudWatchLogGroupArn"]
    if level == "OFF":
        return failed("logs nothing: its LogLevel is OFF", LogLevel=level)
    if not group:
        return failed(f"has LogLevel {level}, and no log group to write to", LogLevel=level)
    return passed(f"logs at level {level}", LogLevel=level, CloudWatchLogGroupArn=group)
