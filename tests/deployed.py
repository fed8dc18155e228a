"""A template as CloudFormation would deploy it: each resource by the call that makes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import yaml

from wa_audit.demo_account.answers import answer

Json = dict[str, Any]
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
REGION = "eu-west-1"


class _Loader(yaml.SafeLoader):
    """CloudFormation's YAML: `!Ref X` as `{"Ref": X}`."""


def _short(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {tag: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short)


def read(text: str) -> Json:
    """A template, with what `!Ref` and its kin stand for as mappings of one."""
    found: Json = yaml.load(text, Loader=_Loader)
    return found


class Stack:
    """A stack that is being made through boto3's clients of one session."""

    def __init__(
        self,
        session: Any,
        template: Json,
        name: str,
        parameters: Json,
        *,
        code: Mapping[str, bytes] = MappingProxyType({}),
        lacking: frozenset[str] = frozenset(),
        changed: Callable[[str], str] = str,
    ) -> None:
        """`code` are the functions' zips by their keys; `lacking` are calls that the endpoint does not know,
        and `changed` makes of a state machine's definition one that it takes."""
        self.changed = changed
        self._session = session
        self._template = template
        self._lacking = lacking
        self.code = code
        self.account = self.call("sts", "get_caller_identity")["Account"]
        self.names: Json = {  # what Ref gives
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": name,
            "AWS::URLSuffix": "amazonaws.com",
            **{key: each.get("Default") for key, each in template["Parameters"].items()},
            **parameters,
        }
        self.attributes: Json = {}  # what GetAtt gives
        self._waiting = dict(template["Resources"])
        # What moto knows no call for.
        self.rulesets: list[Json] = []
        session.events.register_first("before-call.glue.ListDataQualityRulesets", self._rulesets)

    def _rulesets(self, **_: Any) -> Any:
        return answer({"Rulesets": self.rulesets})

    def properties(self, name: str) -> Json:
        """Of a resource, as the template has them."""
        found: Json = self._template["Resources"][name]["Properties"]
        return found

    def deploy(self) -> None:
        """Makes everything, each after what it refers to."""
        while self._waiting:
            ready = next((n for n, each in self._waiting.items() if not self._missing(each)), None)
            assert ready is not None, f"go round in a circle: {sorted(self._waiting)}"
            each = self._waiting.pop(ready)
            if self._wanted(each):
                _MAKERS[each["Type"]](self, ready, self.value(each.get("Properties", {})))

    def call(self, service: str, method: str, **parameters: Any) -> Json:
        if method in self._lacking:
            return {}
        found: Json = getattr(self._session.client(service, region_name=REGION), method)(**parameters)
        return found

    def made(self, name: str, ref: str, arn: str = "", **attributes: str) -> None:
        self.names[name] = ref
        self.attributes[name] = {"Arn": arn, **attributes}

    def _missing(self, value: Any) -> set[str]:
        """The resources not yet made that a value refers to."""
        text = json.dumps(value)
        named = set(re.findall(r'"(?:Ref|GetAtt)": "(\w+)', text)) | set(re.findall(r"\$\{(\w+)", text))
        return {name for name in named & self._waiting.keys() if self._wanted(self._waiting[name])}

    def _wanted(self, resource: Json) -> bool:
        condition = resource.get("Condition")
        return condition is None or bool(self.value(self._template["Conditions"][condition]))

    def value(self, value: Any) -> Any:
        """A value with everything that it refers to."""
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) != 1:
            return {key: self.value(each) for key, each in value.items()}
        ((kind, inside),) = value.items()
        match kind:
            case "Ref":
                return self.names[inside]
            case "GetAtt":
                name, _, attribute = inside.partition(".")
                return self.attributes[name][attribute]
            case "Sub":
                text, given = (inside, {}) if isinstance(inside, str) else (inside[0], self.value(inside[1]))
                filled = re.sub(
                    r"\$\{(\w[\w:.]*)\}",
                    lambda found: str(given[found[1]] if found[1] in given else self._named(found[1])),
                    text,
                )
                return filled.replace("${!", "${")
            case "If":
                met = self.value(self._template["Conditions"][inside[0]])
                return self.value(inside[1 if met else 2])
            case "Join":
                return inside[0].join(filter(None, _list(self.value(inside[1]))))
            case "Not":
                return not self.value(inside[0])
            case "Equals":
                return self.value(inside[0]) == self.value(inside[1])
        return {kind: self.value(inside)}

    def _named(self, name: str) -> Any:
        if "." in name:
            resource, _, attribute = name.partition(".")
            return self.attributes[resource][attribute]
        return self.names[name]


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else str(value or "").split(",")


def _tags(properties: Json) -> Json:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())}


def _key(stack: Stack, name: str, p: Json) -> None:
    tags = [{"TagKey": key, "TagValue": value} for key, value in _tags(p).items()]
    found = stack.call(
        "kms", "create_key", Policy=json.dumps(p["KeyPolicy"]), Description=p["Description"], Tags=tags
    )
    made = found["KeyMetadata"]
    if p["EnableKeyRotation"]:
        stack.call("kms", "enable_key_rotation", KeyId=made["KeyId"])
    stack.made(name, made["KeyId"], made["Arn"])


def _alias(stack: Stack, name: str, p: Json) -> None:
    stack.call("kms", "create_alias", AliasName=p["AliasName"], TargetKeyId=p["TargetKeyId"])
    stack.made(name, p["AliasName"])


def _bucket(stack: Stack, name: str, p: Json) -> None:
    bucket = f"{stack.names['AWS::StackName']}-{name.lower()}"
    where = {"LocationConstraint": REGION}
    stack.call(
        "s3",
        "create_bucket",
        Bucket=bucket,
        CreateBucketConfiguration=where,
        ObjectOwnership="BucketOwnerEnforced",
    )
    rules = [
        {
            "BucketKeyEnabled": rule["BucketKeyEnabled"],
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
        }
        for rule in p["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    stack.call(
        "s3", "put_bucket_encryption", Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    stack.call(
        "s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration=p["VersioningConfiguration"]
    )
    block = p["PublicAccessBlockConfiguration"]
    stack.call("s3", "put_public_access_block", Bucket=bucket, PublicAccessBlockConfiguration=block)
    life = {"Rules": [_life(rule) for rule in p["LifecycleConfiguration"]["Rules"]]}
    stack.call("s3", "put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration=life)
    stack.call("s3", "put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": p["Tags"]})
    stack.made(name, bucket, f"arn:aws:s3:::{bucket}")


def _life(rule: Json) -> Json:
    found: Json = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        found["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    for same in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if same in rule:
            found[same] = rule[same]
    if "Transitions" in rule:
        found["Transitions"] = [
            {"Days": each["TransitionInDays"], "StorageClass": each["StorageClass"]}
            for each in rule["Transitions"]
        ]
    return found


def _bucket_policy(stack: Stack, name: str, p: Json) -> None:
    stack.call("s3", "put_bucket_policy", Bucket=p["Bucket"], Policy=json.dumps(p["PolicyDocument"]))
    stack.made(name, name)


def _log(stack: Stack, name: str, p: Json) -> None:
    stack.call(
        "logs", "create_log_group", logGroupName=p["LogGroupName"], kmsKeyId=p["KmsKeyId"], tags=_tags(p)
    )
    stack.call(
        "logs", "put_retention_policy", logGroupName=p["LogGroupName"], retentionInDays=p["RetentionInDays"]
    )
    stack.made(
        name, p["LogGroupName"], f"arn:aws:logs:{REGION}:{stack.account}:log-group:{p['LogGroupName']}:*"
    )


def _role(stack: Stack, name: str, p: Json) -> None:
    role = p.get("RoleName") or f"{stack.names['AWS::StackName']}-{name}"
    trust = json.dumps(p["AssumeRolePolicyDocument"])
    made = stack.call("iam", "create_role", RoleName=role, AssumeRolePolicyDocument=trust, Tags=p["Tags"])
    for each in p.get("Policies", ()):
        document = json.dumps(each["PolicyDocument"])
        stack.call(
            "iam", "put_role_policy", RoleName=role, PolicyName=each["PolicyName"], PolicyDocument=document
        )
    for arn in p.get("ManagedPolicyArns", ()):
        stack.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
    stack.made(name, role, made["Role"]["Arn"])


def _managed_policy(stack: Stack, name: str, p: Json) -> None:
    policy = f"{stack.names['AWS::StackName']}-{name}"
    made = stack.call(
        "iam", "create_policy", PolicyName=policy, PolicyDocument=json.dumps(p["PolicyDocument"])
    )
    stack.made(name, made["Policy"]["Arn"], made["Policy"]["Arn"])


def _function(stack: Stack, name: str, p: Json) -> None:
    same = "FunctionName Runtime Architectures Handler Role Timeout TracingConfig LoggingConfig"
    given = {key: p[key] for key in same.split() if key in p} | {"KMSKeyArn": p["KmsKeyArn"]}
    variables = {key: str(value) for key, value in p["Environment"]["Variables"].items()}
    made = stack.call(
        "lambda",
        "create_function",
        **given | {"MemorySize": int(p["MemorySize"])},
        Code={"ZipFile": stack.code.get(p["Code"]["S3Key"], _EMPTY_ZIP)},
        **({"DeadLetterConfig": p["DeadLetterConfig"]} if "DeadLetterConfig" in p else {}),
        Environment={"Variables": variables},
        Tags=_tags(p),
    )
    reserved = int(p["ReservedConcurrentExecutions"])
    stack.call(
        "lambda",
        "put_function_concurrency",
        FunctionName=p["FunctionName"],
        ReservedConcurrentExecutions=reserved,
    )
    stack.made(name, p["FunctionName"], made["FunctionArn"])


def _machine(stack: Stack, name: str, p: Json) -> None:
    logs = p["LoggingConfiguration"]
    to = [
        {"cloudWatchLogsLogGroup": {"logGroupArn": each["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
        for each in logs["Destinations"]
    ]
    encryption = p["EncryptionConfiguration"]
    made = stack.call(
        "stepfunctions",
        "create_state_machine",
        name=p["StateMachineName"],
        definition=stack.changed(p["DefinitionString"]),
        roleArn=p["RoleArn"],
        type=p["StateMachineType"],
        loggingConfiguration={
            "level": logs["Level"],
            "includeExecutionData": logs["IncludeExecutionData"],
            "destinations": to,
        },
        tracingConfiguration={"enabled": p["TracingConfiguration"]["Enabled"]},
        encryptionConfiguration={
            "type": encryption["Type"],
            "kmsKeyId": encryption["KmsKeyId"],
            "kmsDataKeyReusePeriodSeconds": encryption["KmsDataKeyReusePeriodSeconds"],
        },
        tags=[{"key": key, "value": value} for key, value in _tags(p).items()],
    )
    stack.made(name, made["stateMachineArn"], made["stateMachineArn"])


def _invocations(stack: Stack, name: str, p: Json) -> None:
    given = {key: value for key, value in p.items() if key != "Qualifier"}
    stack.call("lambda", "put_function_event_invoke_config", **given)
    stack.made(name, name)


def _schedule(stack: Stack, name: str, p: Json) -> None:
    own = f"{stack.names['AWS::StackName']}-{name}"
    stack.call("scheduler", "create_schedule", Name=own, **p)
    stack.made(name, own, f"arn:aws:scheduler:{REGION}:{stack.account}:schedule/default/{own}")


def _queue(stack: Stack, name: str, p: Json) -> None:
    own = f"{stack.names['AWS::StackName']}-{name}"
    attributes = {
        key: json.dumps(value) if isinstance(value, dict) else str(value)
        for key, value in p.items()
        if key != "Tags"
    }
    made = stack.call("sqs", "create_queue", QueueName=own, Attributes=attributes, tags=_tags(p))
    stack.made(name, made["QueueUrl"], f"arn:aws:sqs:{REGION}:{stack.account}:{own}", QueueName=own)


def _queue_policy(stack: Stack, name: str, p: Json) -> None:
    for url in p["Queues"]:
        stack.call(
            "sqs",
            "set_queue_attributes",
            QueueUrl=url,
            Attributes={"Policy": json.dumps(p["PolicyDocument"])},
        )
    stack.made(name, name)


def _topic(stack: Stack, name: str, p: Json) -> None:
    own = f"{stack.names['AWS::StackName']}-{name}"
    attributes = {"DisplayName": p["DisplayName"], "KmsMasterKeyId": p["KmsMasterKeyId"]}
    made = stack.call("sns", "create_topic", Name=own, Attributes=attributes, Tags=p["Tags"])
    stack.made(name, made["TopicArn"], made["TopicArn"])


def _topic_policy(stack: Stack, name: str, p: Json) -> None:
    for topic in p["Topics"]:
        value = json.dumps(p["PolicyDocument"])
        stack.call(
            "sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=value
        )
    stack.made(name, name)


def _subscription(stack: Stack, name: str, p: Json) -> None:
    stack.call("sns", "subscribe", **p)
    stack.made(name, name)


def _alarm(stack: Stack, name: str, p: Json) -> None:
    stack.call("cloudwatch", "put_metric_alarm", **p)
    stack.made(name, p["AlarmName"])


def _database(stack: Stack, name: str, p: Json) -> None:
    stack.call("glue", "create_database", DatabaseInput=p["DatabaseInput"])
    stack.made(name, p["DatabaseInput"]["Name"])


def _table(stack: Stack, name: str, p: Json) -> None:
    stack.call("glue", "create_table", DatabaseName=p["DatabaseName"], TableInput=p["TableInput"])
    stack.made(name, p["TableInput"]["Name"])


def _ruleset(stack: Stack, name: str, p: Json) -> None:
    stack.rulesets.append({"Name": p["Name"], "TargetTable": p["TargetTable"]})
    stack.made(name, p["Name"])


def _location(stack: Stack, name: str, p: Json) -> None:
    given = {
        "UseServiceLinkedRole": p["UseServiceLinkedRole"],
        "HybridAccessEnabled": p["HybridAccessEnabled"],
    }
    stack.call("lakeformation", "register_resource", ResourceArn=p["ResourceArn"], **given)
    stack.made(name, p["ResourceArn"])


def _dashboard(stack: Stack, name: str, p: Json) -> None:
    stack.call("cloudwatch", "put_dashboard", **p)
    stack.made(name, p["DashboardName"])


def _work_group(stack: Stack, name: str, p: Json) -> None:
    settings = p["WorkGroupConfiguration"]
    settings["BytesScannedCutoffPerQuery"] = int(settings["BytesScannedCutoffPerQuery"])
    stack.call("athena", "create_work_group", Name=p["Name"], Configuration=settings, Tags=p["Tags"])
    stack.made(name, p["Name"])


_MAKERS: dict[str, Callable[[Stack, str, Json], None]] = {
    "AWS::Athena::WorkGroup": _work_group,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Glue::DataQualityRuleset": _ruleset,
    "AWS::Glue::Database": _database,
    "AWS::Glue::Table": _table,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::LakeFormation::Resource": _location,
    "AWS::Lambda::EventInvokeConfig": _invocations,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::StepFunctions::StateMachine": _machine,
}
