"""AWS IoT Core: what takes messages in, and who may send them."""

from wa_audit.collect.kinds import Call, Kind

_GONE = ("ResourceNotFoundException",)
# What of an action is the user's own text or may hold a credential.
_TEXT = " ".join(
    f"{where}.{text}"
    for where in ("actions[]", "errorAction")
    for text in (
        "http.headers http.auth kafka.clientProperties kafka.headers kafka.key salesforce.token location "
        "timestream.dimensions influxDB republish.headers dynamoDB.hashKeyValue dynamoDB.rangeKeyValue"
    ).split()
)


def _tags(arn: str) -> Call:
    return Call(
        operation="ListTagsForResource",
        args={"resourceArn": arn},
        take="tags",
        into="Tags",
        gone=_GONE,
        optional=True,
    )


KINDS = (
    Kind(
        "AWS::IoT::TopicRule",
        service="iot",
        list=Call(
            operation="ListTopicRules",
            params={"maxResults": 100},
            take="rules",
            keep="ruleArn ruleName createdAt ruleDisabled",
        ),
        name="ruleName",
        arn="{ruleArn}",
        details=(
            # AWS answers "unauthorized" both where the rule has gone and where the caller may not look.
            # https://docs.aws.amazon.com/iot/latest/apireference/API_GetTopicRule.html
            Call(
                operation="GetTopicRule",
                args={"ruleName": "ruleName"},
                take="rule",
                keep="actions errorAction awsIotSqlVersion",
                drop=_TEXT,
            ),
            _tags("ruleArn"),
        ),
        scrub=("actions", "errorAction"),
    ),
    Kind(
        "AWS::IoT::Policy",
        service="iot",
        list=Call(
            operation="ListPolicies",
            params={"pageSize": 250},
            take="policies",
            keep="policyName policyArn",
        ),
        name="policyName",
        arn="{policyArn}",
        details=(
            Call(
                operation="GetPolicy",
                args={"policyName": "policyName"},
                take="@",
                keep="policyDocument creationDate lastModifiedDate",
                gone=_GONE,
            ),
            Call(
                operation="ListTargetsForPolicy",
                args={"policyName": "policyName"},
                params={"pageSize": 250},
                take="targets",
                into="targets",
                gone=_GONE,
            ),
            _tags("policyArn"),
        ),
        decode=("policyDocument",),
    ),
)
