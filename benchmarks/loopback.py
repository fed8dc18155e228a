"""An AWS on loopback: a settable account, latency and share of throttled calls; counts what it is asked.

It answers the operations that a scan of six services makes, as AWS answers them, and every other one with
an empty answer of the service's own kind. Start it with `Loopback(...)` as a context manager; it serves from
a thread of its own on 127.0.0.1 and ends with the block.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_BODY_TYPES = {"xml": "text/xml", "json": "application/x-amz-json-1.1"}


@dataclass(frozen=True)
class Account:
    """How many resources there are."""

    buckets: int = 50
    functions: int = 30
    queues: int = 30
    streams: int = 20
    jobs: int = 10
    tables: int = 10


@dataclass
class Counts:
    """What was asked: calls by operation, the most at once, and the sum of the times they took."""

    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    under_way: int = 0
    most_at_once: int = 0
    busy_seconds: float = 0.0
    connections: int = 0


class Loopback:
    """The server. `latency` is in seconds; `throttle` is the share of calls that are refused once."""

    def __init__(
        self, account: Account | None = None, *, latency: float = 0.05, throttle: float = 0.0, seed: int = 1
    ) -> None:
        self.account = account or Account()
        self.counts = Counts()
        self.endpoint = ""
        self._latency = latency
        self._throttle = throttle
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Loopback:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(5)

    async def _end(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        self._loop.stop()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connection, "127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                writer.write(await self._answered(head, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    async def _answered(self, head: bytes, body: bytes) -> bytes:
        counts, started = self.counts, self._loop.time()
        counts.under_way += 1
        counts.most_at_once = max(counts.most_at_once, counts.under_way)
        operation, answer, kind = _route(head.decode("latin-1"), body, self.account)
        counts.calls[operation] += 1
        await asyncio.sleep(self._latency)
        counts.under_way -= 1
        counts.busy_seconds += self._loop.time() - started
        status = 200
        if self._random.random() < self._throttle:
            counts.throttled += 1
            status, answer = 400, _throttling(kind)
        head_only = head.startswith(b"HEAD")
        extra = f"\r\nx-amz-bucket-region: {REGION}" if head_only else ""
        if answer.startswith(b"<Error>") and status == 200:
            status = 404
        return (
            f"HTTP/1.1 {status} X\r\nContent-Type: {_BODY_TYPES[kind]}\r\n"
            f"Content-Length: {len(answer)}{extra}\r\n\r\n"
        ).encode() + (b"" if head_only else answer)


def _throttling(kind: str) -> bytes:
    if kind == "xml":
        return (
            b"<ErrorResponse><Error><Code>Throttling</Code><Message>slower</Message></Error></ErrorResponse>"
        )
    return b'{"__type": "ThrottlingException", "message": "slower"}'


def _route(head: str, body: bytes, account: Account) -> tuple[str, bytes, str]:
    """Operation, answer and kind of body."""
    line, _, headers = head.partition("\r\n")
    _, target, _ = line.split(" ", 2)
    if found := re.search(r"(?i)x-amz-target: *(\S+)", headers):
        operation = found[1].rpartition(".")[2]
        service = found[1].partition("_")[0].partition(".")[0]
        return f"{service}.{operation}", _json_answer(operation, json.loads(body or b"{}"), account), "json"
    path = urlsplit(target).path
    if re.match(r"/\d{4}-\d\d-\d\d/", path):
        return *_lambda_answer(path, account), "json"
    if b"Action=" in body:
        action = parse_qs(body.decode())["Action"][0]
        return action, _query_answer(action), "xml"
    return *_s3_answer(target, account), "xml"


def _json_answer(operation: str, asked: dict[str, Any], account: Account) -> bytes:
    arn = f":{REGION}:{ACCOUNT}:"
    match operation:
        case "ListQueues":
            names = [f"http://127.0.0.1/{ACCOUNT}/queue-{n}" for n in range(account.queues)]
            found: Any = {"QueueUrls": names}
        case "GetQueueAttributes":
            name = asked["QueueUrl"].rpartition("/")[2]
            found = {
                "Attributes": {
                    "QueueArn": f"arn:aws:sqs{arn}{name}",
                    "VisibilityTimeout": "30",
                    "MessageRetentionPeriod": "345600",
                    "SqsManagedSseEnabled": "true",
                }
            }
        case "ListStreams":
            names = [f"stream-{n}" for n in range(account.streams)]
            found = {"StreamNames": names, "HasMoreStreams": False}
        case "DescribeStreamSummary":
            name = asked.get("StreamName") or asked["StreamARN"].rpartition("/")[2]
            found = {
                "StreamDescriptionSummary": {
                    "StreamName": name,
                    "StreamARN": f"arn:aws:kinesis{arn}stream/{name}",
                    "StreamStatus": "ACTIVE",
                    "RetentionPeriodHours": 24,
                    "StreamCreationTimestamp": 1_700_000_000,
                    "EnhancedMonitoring": [],
                    "EncryptionType": "NONE",
                    "OpenShardCount": 1,
                }
            }
        case "ListTables":
            found = {"TableNames": [f"table-{n}" for n in range(account.tables)]}
        case "DescribeTable":
            name = asked["TableName"].rpartition("/")[2]
            found = {
                "Table": {
                    "TableName": name,
                    "TableArn": f"arn:aws:dynamodb{arn}table/{name}",
                    "TableStatus": "ACTIVE",
                    "CreationDateTime": 1_700_000_000,
                    "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
                }
            }
        case "DescribeContinuousBackups":
            found = {
                "ContinuousBackupsDescription": {
                    "ContinuousBackupsStatus": "ENABLED",
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
                }
            }
        case "GetJobs":
            found = {"Jobs": [_job(n) for n in range(account.jobs)]}
        case "ListTagsForStream":
            found = {"Tags": [], "HasMoreTags": False}
        case _:
            found = _EMPTY.get(operation, {})
    return json.dumps(found).encode()


_EMPTY: dict[str, Any] = {
    "GetTriggers": {"Triggers": []},
    "GetCrawlers": {"Crawlers": []},
    "GetConnections": {"ConnectionList": []},
    "GetDatabases": {"DatabaseList": []},
    "GetSecurityConfigurations": {"SecurityConfigurations": []},
    "ListWorkflows": {"Workflows": []},
    "GetDataCatalogEncryptionSettings": {
        "DataCatalogEncryptionSettings": {"EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"}}
    },
    "GetResourcePolicies": {"GetResourcePoliciesResponseList": []},
    "ListStateMachines": {"stateMachines": []},
    "ListDeliveryStreams": {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False},
    "ListEventBuses": {"EventBuses": []},
    "ListWorkGroups": {"WorkGroups": []},
    "ListClusters": {"Clusters": []},
    "ListSecurityConfigurations": {"SecurityConfigurations": []},
    "ListKeys": {"Keys": [], "Truncated": False},
    "ListAliases": {"Aliases": [], "Truncated": False},
    "DescribeScalableTargets": {"ScalableTargets": []},
    "DescribeAlarms": {"MetricAlarms": [], "CompositeAlarms": []},
}


def _job(number: int) -> dict[str, Any]:
    return {
        "Name": f"job-{number}",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/glue",
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://bucket-0/job.py", "PythonVersion": "3"},
        "DefaultArguments": {"--job-bookmark-option": "job-bookmark-enable"},
        "MaxRetries": 1,
        "Timeout": 480,
        "GlueVersion": "5.0",
        "WorkerType": "G.1X",
        "NumberOfWorkers": 10,
        "CreatedOn": 1_700_000_000,
    }


def _lambda_answer(path: str, account: Account) -> tuple[str, bytes]:
    rest = unquote(path.split("/", 2)[2])
    if rest.rstrip("/") == "functions":
        return "lambda.ListFunctions", json.dumps(
            {"Functions": [_function(n) for n in range(account.functions)]}
        ).encode()
    if rest.rstrip("/") == "event-source-mappings":
        return "lambda.ListEventSourceMappings", b'{"EventSourceMappings": []}'
    last = rest.rstrip("/").rpartition("/")[2]
    answers = {
        "urls": b'{"FunctionUrlConfigs": []}',
        "list": b'{"FunctionEventInvokeConfigs": []}',
        "concurrency": b"{}",
        "policy": b'{"Policy": "{\\"Statement\\": []}"}',
    }
    return f"lambda.{last if last in answers else 'ListTags'}", answers.get(last, b'{"Tags": {}}')


def _function(number: int) -> dict[str, Any]:
    name = f"function-{number}"
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/lambda",
        "Timeout": 30,
        "MemorySize": 256,
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "TracingConfig": {"Mode": "Active"},
        "Version": "$LATEST",
    }


def _query_answer(action: str) -> bytes:
    inner = {
        "GetCallerIdentity": f"<Arn>arn:aws:iam::{ACCOUNT}:user/x</Arn><UserId>x</UserId>"
        f"<Account>{ACCOUNT}</Account>",
        "ListTopics": "<Topics/>",
        "ListSubscriptions": "<Subscriptions/>",
        "DescribeStacks": "<Stacks/>",
        "DescribeAlarms": "<MetricAlarms/><CompositeAlarms/>",
        "GetAccountAuthorizationDetails": "<IsTruncated>false</IsTruncated><RoleDetailList/><Policies/>",
    }.get(action, "")
    return f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>".encode()


_S3_MISSING = {
    "policy": "NoSuchBucketPolicy",
    "policyStatus": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "replication": "ReplicationConfigurationNotFoundError",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "tagging": "NoSuchTagSet",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
}
_S3_ANSWERS = {
    "versioning": "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    "encryption": "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
    "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
    "</ServerSideEncryptionConfiguration>",
    "acl": "<AccessControlPolicy><AccessControlList/></AccessControlPolicy>",
    "ownershipControls": "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>"
    "</Rule></OwnershipControls>",
    "logging": "<BucketLoggingStatus/>",
    "notification": "<NotificationConfiguration/>",
}


def _s3_answer(target: str, account: Account) -> tuple[str, bytes]:
    parts = urlsplit(target)
    if parts.path == "/v20180820/configuration/publicAccessBlock":
        return "s3control.GetPublicAccessBlock", _s3_error("NoSuchPublicAccessBlockConfiguration")
    if parts.path == "/":
        buckets = "".join(
            f"<Bucket><Name>bucket-{n}</Name><CreationDate>2024-01-01T00:00:00Z</CreationDate>"
            f"<BucketRegion>{REGION}</BucketRegion></Bucket>"
            for n in range(account.buckets)
        )
        found = f"<ListAllMyBucketsResult><Buckets>{buckets}</Buckets></ListAllMyBucketsResult>"
        return "s3.ListBuckets", found.encode()
    name = next(iter(parts.query.split("&"))).partition("=")[0] or "HeadBucket"
    if name in _S3_MISSING:
        return f"s3.{name}", _s3_error(_S3_MISSING[name])
    return f"s3.{name}", _S3_ANSWERS.get(name, "<Nothing/>").encode()


def _s3_error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>none</Message></Error>".encode()
