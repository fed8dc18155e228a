"""Service Quotas of the services that pipelines run on."""

from wa_audit.collect.kinds import Call, Kind

# Use can be held against a quota where AWS names the metric that measures it, or where what counts against
# it is listed anyway: https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ServiceQuota.html
_MEASURABLE = " || ".join(
    ["UsageMetric", *(f"contains(QuotaName, '{word}')" for word in ("concurrent", "Concurrent", "shards"))]
)
_SERVICES = ("elasticmapreduce", "firehose", "glue", "kinesis", "lambda", "states")

KINDS = (
    Kind(
        "AWS::ServiceQuotas::Quota",
        service="service-quotas",
        within="AWS::EMR::Cluster AWS::Glue::Job AWS::Kinesis::Stream "
        "AWS::KinesisFirehose::DeliveryStream AWS::Lambda::Function AWS::StepFunctions::StateMachine",
        list=Call(
            operation="ListServiceQuotas",
            params={"MaxResults": 100},
            each=tuple({"ServiceCode": service} for service in _SERVICES),
            take=f"Quotas[?{_MEASURABLE}]",
            keep="ServiceCode QuotaCode QuotaName Value Adjustable Period UsageMetric",
        ),
        name="QuotaName",
        # The ARN that AWS gives names no account where a quota still has its default value.
        arn="arn:{partition}:servicequotas:{region}:{account}:{ServiceCode}/{QuotaCode}",
    ),
)
