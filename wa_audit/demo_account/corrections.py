"""What the emulator forgets of the demo account, remembered for it.

Moto drops some properties that it is given and lacks some operations. Without these answers a demo would
show "not evaluated" where a real account has something to say. Everything here is kept from the seeding's
own calls, but for outcomes that the emulator never brings about: how a crawl or a workflow ended, and a
stack that failed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from wa_audit.aws import times
from wa_audit.demo_account.account import SECOND_REGION, Json
from wa_audit.demo_account.answers import answer

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

# Which managed policies AWS has ready for everybody: moto's own list of all 1,500 takes seconds to load.
MANAGED_POLICIES = (
    "AWSGlueServiceRole",
    "AWSLambdaBasicExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AdministratorAccess",
    "AmazonEMRServicePolicy_v2",
    "AmazonElasticMapReduceRole",
    "AmazonS3FullAccess",
    "AmazonSQSFullAccess",
)

# Moto's crawls never end by themselves.
FAILED_CRAWLERS = ("acme-consent-log",)
# Moto's workflows never get anywhere. How many of a run's two actions failed.
FAILED_ACTIONS = {"acme-nightly": 0, "acme-month-end": 1}
STREAMS_AGE = timedelta(days=200)
# Moto's stacks never fail.
STACK_STATUS = {"acme-reporting-alerts": "UPDATE_ROLLBACK_FAILED"}

# What Acme does not have or has left as it is, and moto no operation for.
NOTHING: dict[str, Json] = {
    "backup.ListProtectedResources": {"Results": []},
    "glue.ListDataQualityResults": {"Results": []},
    "kafkaconnect.ListConnectors": {"connectors": []},
    "cloudtrail.ListEventDataStores": {"EventDataStores": []},
    "iot.ListTagsForResource": {"tags": []},
    "redshift.DescribeDataShares": {"DataShares": []},
    "lakeformation.ListLakeFormationOptIns": {"LakeFormationOptInsInfoList": []},
    "xray.GetEncryptionConfig": {"EncryptionConfig": {"Status": "ACTIVE", "Type": "NONE"}},
}


def managed_policies(everything: str) -> str:
    """The policies that the demo attaches, out of moto's JSON of all that AWS manages."""
    known = json.loads(everything)
    return json.dumps({name: known[name] for name in MANAGED_POLICIES})


class Corrections:
    """Listens to the clients of one boto3 session, made after `install`."""

    def __init__(self) -> None:
        self._dead_letters: Json = {}
        self._urls: dict[str, list[Json]] = {}
        self._connection_types: dict[str, str] = {}
        self._subscriptions: Counter[str] = Counter()
        self._scaling: Json = {}
        self._termination: Json = {}
        self._security: dict[str, list[str]] = {}
        self._catalog_policy: dict[str, str] = {}
        self._vpcs: dict[str, str] = {}
        self._kafka: dict[str, Json] = {}
        self._parameters: dict[str, list[Json]] = {}

    def install(self, events: Any) -> None:
        for operation in (
            "PutManagedScalingPolicy",
            "GetManagedScalingPolicy",
            "PutAutoTerminationPolicy",
            "GetAutoTerminationPolicy",
            "CreateSecurityConfiguration",
            "ListSecurityConfigurations",
        ):
            events.register(f"before-call.emr.{operation}", self._emr)
        for operation in ("PutResourcePolicy", "GetResourcePolicies"):
            events.register(f"before-call.glue.{operation}", self._glue)
        for operation in ("CreateFunctionUrlConfig", "ListFunctionUrlConfigs"):
            events.register(f"before-call.lambda.{operation}", self._function_urls)
        events.register("before-call.sns.Subscribe", self._keep_subscription)
        events.register("after-call.sns.GetTopicAttributes", self._count_subscriptions)
        events.register("before-call.glue.CreateConnection", self._keep_connection_type)
        events.register("after-call.glue.GetConnections", self._give_connection_types)
        for operation, empty in NOTHING.items():
            events.register(f"before-call.{operation}", partial(_nothing, empty))
        events.register("before-call.lambda.CreateFunction", self._keep_dead_letters)
        events.register("after-call.lambda.ListFunctions", self._give_dead_letters)
        events.register("before-call.kafka.CreateClusterV2", self._keep_kafka)
        events.register("after-call.kafka.ListClustersV2", self._give_kafka)
        for operation in ("ModifyClusterParameterGroup", "DescribeClusterParameters"):
            events.register(f"before-call.redshift.{operation}", self._redshift)
        events.register("before-call.emr.GetBlockPublicAccessConfiguration", _public_clusters)
        events.register("after-call.emr.ListInstances", _private_instances)
        events.register("after-call.ec2.CreateSubnet", self._keep_subnet)
        events.register("after-call.lambda.ListFunctions", self._give_vpcs)
        events.register("after-call.kinesis.DescribeStreamSummary", _stream_age)
        events.register("after-call.firehose.DescribeDeliveryStream", _firehose_status)
        events.register("after-call.glue.GetCrawlers", _ended_crawls)
        events.register("after-call.glue.GetWorkflow", _ended_workflow)
        events.register("after-call.cloudformation.DescribeStacks", _stack_status)
        events.register("after-call.iam.GetAccountAuthorizationDetails", _policy_names)

    def _emr(self, model: Any, params: Json, context: Json, **_: Any) -> tuple[AWSResponse, Json] | None:
        """The operations of EMR that moto lacks; None hands the call on to moto."""
        body, region = json.loads(params["body"]), context["client_region"]
        match model.name:
            case "CreateSecurityConfiguration":
                self._security.setdefault(region, []).append(body["Name"])
                return None
            case "ListSecurityConfigurations":
                return answer(
                    {"SecurityConfigurations": [{"Name": n} for n in self._security.get(region, ())]}
                )
            case "PutManagedScalingPolicy":
                self._scaling[body["ClusterId"]] = {"ManagedScalingPolicy": body["ManagedScalingPolicy"]}
            case "PutAutoTerminationPolicy":
                self._termination[body["ClusterId"]] = {
                    "AutoTerminationPolicy": body["AutoTerminationPolicy"]
                }
            case "GetManagedScalingPolicy":
                return answer(self._scaling.get(body["ClusterId"], {}))
            case "GetAutoTerminationPolicy":
                return answer(self._termination.get(body["ClusterId"], {}))
        return answer({})

    def _glue(self, model: Any, params: Json, context: Json, **_: Any) -> tuple[AWSResponse, Json] | None:
        """Moto takes a catalog's policy and does not list it."""
        region = context["client_region"]
        if model.name == "PutResourcePolicy":
            self._catalog_policy[region] = json.loads(params["body"])["PolicyInJson"]
            return None
        found = [{"PolicyInJson": policy} for policy in [self._catalog_policy.get(region)] if policy]
        return answer({"GetResourcePoliciesResponseList": found})

    def _keep_subscription(self, params: Json, **_: Any) -> None:
        self._subscriptions[params["body"]["TopicArn"]] += 1

    def _count_subscriptions(self, parsed: Json, **_: Any) -> None:
        """Moto counts none; here everybody has confirmed."""
        attributes = parsed.get("Attributes", {})
        if attributes:
            attributes["SubscriptionsConfirmed"] = str(self._subscriptions[attributes["TopicArn"]])

    def _keep_connection_type(self, params: Json, **_: Any) -> None:
        body = json.loads(params["body"])["ConnectionInput"]
        self._connection_types[body["Name"]] = body["ConnectionType"]

    def _give_connection_types(self, parsed: Json, **_: Any) -> None:
        for connection in parsed.get("ConnectionList", ()):
            connection.setdefault("ConnectionType", self._connection_types[connection["Name"]])

    def _function_urls(self, model: Any, params: Json, **_: Any) -> tuple[AWSResponse, Json] | None:
        """Moto makes a function's URL and does not list it. The name stands in the path."""
        function = params["url_path"].split("/functions/")[1].split("/")[0]
        if model.name == "ListFunctionUrlConfigs":
            return answer({"FunctionUrlConfigs": self._urls.get(function, [])})
        self._urls.setdefault(function, []).append({"FunctionArn": function, **json.loads(params["body"])})
        return None

    def _keep_dead_letters(self, params: Json, **_: Any) -> None:
        body = json.loads(params["body"])
        if "DeadLetterConfig" in body:
            self._dead_letters[body["FunctionName"]] = body["DeadLetterConfig"]

    def _keep_kafka(self, params: Json, **_: Any) -> None:
        asked = json.loads(params["body"])
        self._kafka[asked["clusterName"]] = asked["provisioned"]

    def _give_kafka(self, parsed: Json, **_: Any) -> None:
        """Moto keeps of a cluster how many brokers it has, and little more."""
        for cluster in parsed.get("ClusterInfoList", ()):
            kept = self._kafka.get(cluster["ClusterName"], {})
            cluster.setdefault("Provisioned", {}).update(_capitalised(kept))

    def _redshift(self, model: Any, params: Json, **_: Any) -> tuple[AWSResponse, Json]:
        """The parameters of a group, which moto neither changes nor gives."""
        asked = params["body"]
        rows = self._parameters.setdefault(asked["ParameterGroupName"], [])
        if model.name == "DescribeClusterParameters":
            return answer({"Parameters": rows})
        number = 1
        while name := asked.get(f"Parameters.Parameter.{number}.ParameterName"):
            value = asked[f"Parameters.Parameter.{number}.ParameterValue"]
            rows.append({"ParameterName": name, "ParameterValue": value, "Source": "user"})
            number += 1
        return answer({"ParameterGroupName": asked["ParameterGroupName"]})

    def _keep_subnet(self, parsed: Json, **_: Any) -> None:
        subnet = parsed.get("Subnet", {})
        self._vpcs[subnet.get("SubnetId", "")] = subnet.get("VpcId", "")

    def _give_vpcs(self, parsed: Json, **_: Any) -> None:
        """Moto knows one VPC for all functions."""
        for function in parsed.get("Functions", ()):
            config = function.get("VpcConfig") or {}
            if config.get("SubnetIds"):
                config["VpcId"] = self._vpcs.get(config["SubnetIds"][0], "")

    def _give_dead_letters(self, parsed: Json, **_: Any) -> None:
        for function in parsed.get("Functions", ()):
            if function["FunctionName"] in self._dead_letters:
                function["DeadLetterConfig"] = self._dead_letters[function["FunctionName"]]


def _firehose_status(parsed: Json, **_: Any) -> None:
    found = parsed.get("DeliveryStreamDescription", {}).get("DeliveryStreamEncryptionConfiguration")
    if found:
        found.setdefault("Status", "ENABLED")


def _stream_age(parsed: Json, **_: Any) -> None:
    """Moto's streams are as old as the emulator; Acme's have been there since the spring."""
    parsed.get("StreamDescriptionSummary", {})["StreamCreationTimestamp"] = times.now() - STREAMS_AGE


def _ended_crawls(parsed: Json, **_: Any) -> None:
    for crawler in parsed.get("Crawlers", ()):
        if "LastCrawl" in crawler:
            failed = crawler["Name"] in FAILED_CRAWLERS
            crawler["LastCrawl"]["Status"] = "FAILED" if failed else "SUCCEEDED"
            crawler["State"] = "READY"


def _ended_workflow(parsed: Json, **_: Any) -> None:
    workflow = parsed.get("Workflow", {})
    failed = FAILED_ACTIONS.get(workflow.get("Name"))
    if failed is not None:
        counts = {"TotalActions": 2, "SucceededActions": 2 - failed, "FailedActions": failed}
        workflow["LastRun"] = {"Name": workflow["Name"], "Status": "COMPLETED", "Statistics": counts}


def _capitalised(value: Any) -> Any:
    """MSK's wire names as the API has them: `clientBroker` is ClientBroker."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _capitalised(child) for name, child in value.items()}
    return [_capitalised(child) for child in value] if isinstance(value, list) else value


def _private_instances(parsed: Json, **_: Any) -> None:
    """Moto gives every instance a public address. Those of the nightly cluster, on Graviton, have none."""
    for instance in parsed.get("Instances", ()):
        if re.match(r"[a-z]+\d+g", instance.get("InstanceType", "")):
            instance.pop("PublicIpAddress", None)


def _public_clusters(context: Json, **_: Any) -> tuple[AWSResponse, Json]:
    """Switched off in the second region, where nobody looked."""
    at_home = context.get("client_region") != SECOND_REGION
    ssh = [{"MinRange": 22, "MaxRange": 22}]
    rules = {"BlockPublicSecurityGroupRules": at_home, "PermittedPublicSecurityGroupRuleRanges": ssh}
    return answer({"BlockPublicAccessConfiguration": rules})


def _nothing(parsed: Json, **_: Any) -> tuple[AWSResponse, Json]:
    return answer(parsed)


def _stack_status(parsed: Json, **_: Any) -> None:
    for stack in parsed.get("Stacks", ()):
        stack["StackStatus"] = STACK_STATUS.get(stack["StackName"], stack["StackStatus"])


def _policy_names(parsed: Json, **_: Any) -> None:
    for policy in parsed.get("Policies", ()):
        policy.setdefault("PolicyName", policy["Arn"].rpartition("/")[2])
