"""An account that is being filled: one way to call AWS, and the few things that every pipeline makes."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from wa_audit.aws import times

if TYPE_CHECKING:
    from collections.abc import Iterable

    import boto3

SECOND_REGION = "eu-central-1"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that the endpoint did not carry out. `operation` is `sqs:CreateQueue`."""

    operation: str
    code: str
    message: str


class Account:
    """Where the demo is put. Every call goes through `do`, which remembers what was refused."""

    def __init__(self, session: boto3.session.Session, region: str, endpoint_url: str | None) -> None:
        self.region = region
        self.refusals: list[Refusal] = []
        self.keys: dict[str, str] = {}  # the ARN of each key, by its alias
        self._session = session
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, str], Any] = {}
        # An endpoint of one's own has no name for each account or bucket.
        self._config = Config(
            inject_host_prefix=endpoint_url is None,
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=5,
            read_timeout=30,
        )

    @cached_property
    def id(self) -> str:
        found: str = self.do("sts:GetCallerIdentity").get("Account", "123456789012")
        return found

    @cached_property
    def auditor(self) -> str:
        """The ARN of whoever seeds the account: an emulator takes whoever audits it for the same."""
        found: str = self.do("sts:GetCallerIdentity").get("Arn", f"arn:aws:iam::{self.id}:root")
        return found

    def do(self, operation: str, *, region: str = "", **params: Any) -> Json:
        """Calls `service:Operation`. A refusal is remembered, and the answer is then empty."""
        service, _, name = operation.partition(":")
        try:
            method = getattr(self._client(service, region or self.region), xform_name(name))
            answer: Json = method(**params)
        except ClientError as error:
            found = error.response.get("Error", {})
            self.refusals.append(Refusal(operation, found.get("Code", "?"), found.get("Message", "")))
        except NotImplementedError as error:  # moto's word for it, in process
            self.refusals.append(Refusal(operation, "NotImplemented", str(error)))
        except (BotoCoreError, ResponseParserError) as error:  # the second is what HTML for XML comes to
            self.refusals.append(Refusal(operation, type(error).__name__, str(error)))
        else:
            return answer
        return {}

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self._session.client(
                service, region_name=region, endpoint_url=self._endpoint_url, config=self._config
            )
        return self._clients[service, region]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.id}:{resource}"

    def role_arn(self, name: str) -> str:
        return f"arn:aws:iam::{self.id}:role/{name}"

    def subnets(self, vpc: str, network: str, *, zones: str) -> list[str]:
        """The ids of a subnet in each of the zones, `ab`, of a VPC whose addresses begin with `network`."""
        made = [
            self.do(
                "ec2:CreateSubnet",
                VpcId=vpc,
                CidrBlock=f"{network}.{number}.0/24",
                AvailabilityZone=f"{self.region}{zone}",
            )
            for number, zone in enumerate(zones)
        ]
        return [answer.get("Subnet", {}).get("SubnetId", "") for answer in made]

    # --- identity and keys -------------------------------------------------------------------------

    def role(
        self,
        name: str,
        *,
        service: str = "",
        trust: Json | None = None,
        inline: dict[str, list[Json]] | None = None,
        managed: tuple[str, ...] = (),
        tags: dict[str, str] | None = None,
    ) -> str:
        """A role that an AWS service takes on (or what `trust` says), and its ARN."""
        trust = trust or allow("sts:AssumeRole", principal={"Service": f"{service}.amazonaws.com"})
        self.do(
            "iam:CreateRole",
            RoleName=name,
            AssumeRolePolicyDocument=document(trust),
            Tags=pairs(tags or {}),
        )
        for policy, statements in (inline or {}).items():
            self.do(
                "iam:PutRolePolicy", RoleName=name, PolicyName=policy, PolicyDocument=document(*statements)
            )
        for policy in managed:
            arn = policy if policy.startswith("arn:") else f"arn:aws:iam::aws:policy/{policy}"
            self.do("iam:AttachRolePolicy", RoleName=name, PolicyArn=arn)
        return self.role_arn(name)

    def key(self, alias: str, *, rotated: bool, policy: str = "", tags: dict[str, str]) -> None:
        """A customer managed key with an alias."""
        extra = {"Policy": policy} if policy else {}
        made = self.do(
            "kms:CreateKey",
            Description=f"Acme: {alias}",
            Tags=[{"TagKey": key, "TagValue": value} for key, value in tags.items()],
            **extra,
        )
        found = made.get("KeyMetadata", {})
        self.keys[alias] = found.get("Arn", "")
        self.do("kms:CreateAlias", AliasName=f"alias/{alias}", TargetKeyId=found.get("KeyId", ""))
        if rotated:
            self.do("kms:EnableKeyRotation", KeyId=found.get("KeyId", ""))

    # --- storage -----------------------------------------------------------------------------------

    def bucket(
        self,
        name: str,
        *,
        region: str = "",
        key: str = "",
        versioning: str = "",
        lifecycle: list[Json] | None = None,
        private: bool = True,
        policy: list[Json] | None = None,
        logs_to: str = "",
        tags: dict[str, str],
    ) -> str:
        """A bucket and its ARN. `key` is the ARN of its KMS key; without one it has the default, SSE-S3."""
        where = {"region": region or self.region, "Bucket": name}
        self.do(
            "s3:CreateBucket",
            **where,
            CreateBucketConfiguration={"LocationConstraint": region or self.region},
        )
        # Said aloud because an emulator, unlike AWS, does not answer with the default.
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bool(key)}
        self.do("s3:PutBucketEncryption", **where, ServerSideEncryptionConfiguration={"Rules": [rule]})
        self.do("s3:PutBucketTagging", **where, Tagging={"TagSet": pairs(tags)})
        if versioning:
            self.do("s3:PutBucketVersioning", **where, VersioningConfiguration={"Status": versioning})
        if lifecycle:
            self.do(
                "s3:PutBucketLifecycleConfiguration", **where, LifecycleConfiguration={"Rules": lifecycle}
            )
        if private:
            flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
            self.do(
                "s3:PutPublicAccessBlock",
                **where,
                PublicAccessBlockConfiguration=dict.fromkeys(flags, True),
            )
            self.do(
                "s3:PutBucketOwnershipControls",
                **where,
                OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            )
        if policy:
            self.do("s3:PutBucketPolicy", **where, Policy=document(*policy))
        if logs_to:
            self.do(
                "s3:PutBucketLogging",
                **where,
                BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": logs_to, "TargetPrefix": f"{name}/"}},
            )
        return f"arn:aws:s3:::{name}"

    # --- messages and compute ----------------------------------------------------------------------

    def queue(self, name: str, *, tags: dict[str, str], **attributes: Any) -> str:
        """A queue and its ARN. Attributes are SQS's own; structures and booleans become its strings."""
        self.do(
            "sqs:CreateQueue",
            QueueName=name,
            Attributes={attribute: _text(value) for attribute, value in attributes.items()},
            tags=tags,
        )
        return self.arn("sqs", name)

    def function(
        self, name: str, *, runtime: str, role: str, tags: dict[str, str], arm: bool = False, **more: Any
    ) -> str:
        """A Lambda function with nothing in it, and its ARN. `more` are parameters of CreateFunction."""
        self.do(
            "lambda:CreateFunction",
            FunctionName=name,
            Runtime=runtime,
            Role=role,
            Handler="index.handler" if runtime.startswith("node") else "app.handler",
            Code={"ZipFile": _empty_zip()},
            Architectures=["arm64" if arm else "x86_64"],
            Tags=tags,
            **more,
        )
        return self.arn("lambda", f"function:{name}")

    def replicate(self, bucket: str, copy: str, *, role: str, key: str = "") -> None:
        """Replicates a bucket into another, by its ARN; with `key`, what KMS encrypts as well."""
        destination: Json = {"Bucket": copy}
        rule: Json = {
            "ID": "disaster-recovery",
            "Status": "Enabled",
            "Priority": 1,
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": destination,
        }
        if key:
            rule["SourceSelectionCriteria"] = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
            destination["EncryptionConfiguration"] = {"ReplicaKmsKeyID": key}
        self.do(
            "s3:PutBucketReplication",
            Bucket=bucket,
            ReplicationConfiguration={"Role": self.role_arn(role), "Rules": [rule]},
        )

    def event_source(self, function: str, source: str, **more: Any) -> None:
        """An event source mapping. Streams are read from their end."""
        if ":sqs:" not in source:
            more["StartingPosition"] = "LATEST"
        self.do("lambda:CreateEventSourceMapping", FunctionName=function, EventSourceArn=source, **more)

    def metric(
        self, namespace: str, name: str, value: float, *, hours: Iterable[int], **dimensions: str
    ) -> None:
        """What a service would report by itself: one value in each of these hours before now."""
        end = times.now().replace(minute=30, second=0)
        self.do(
            "cloudwatch:PutMetricData",
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": found} for key, found in dimensions.items()],
                    "Timestamp": end - datetime.timedelta(hours=hour),
                    "Value": value,
                }
                for hour in hours
            ],
        )

    def alarm(
        self,
        name: str,
        namespace: str,
        metric: str,
        *,
        actions: tuple[str, ...],
        threshold: float,
        comparison: str = "GreaterThanOrEqualToThreshold",
        statistic: str = "Maximum",
        **dimensions: str,
    ) -> None:
        self.do(
            "cloudwatch:PutMetricAlarm",
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            Statistic=statistic,
            Period=300,
            EvaluationPeriods=3,
            Threshold=threshold,
            ComparisonOperator=comparison,
            TreatMissingData="notBreaching",
            AlarmActions=list(actions),
        )


def allow(actions: str | list[str], resources: str | list[str] = "", **more: Any) -> Json:
    """An Allow statement. `principal` and `condition` go in under IAM's own names."""
    found: Json = {"Effect": "Allow", "Action": actions}
    if resources:
        found["Resource"] = resources
    return found | {key.capitalize(): value for key, value in more.items()}


def tls_only(bucket: str, *, whole: bool = True) -> Json:
    """Denies plain HTTP. Not `whole`: on the objects alone, which leaves calls on the bucket itself open."""
    objects = f"arn:aws:s3:::{bucket}/*"
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", objects] if whole else [objects],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def pairs(tags: dict[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _empty_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return {}\n")
    return packed.getvalue()
