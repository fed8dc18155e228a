"""An AWS on loopback: a settable account, latency and share of throttled calls; counts what it is asked.

It answers the operations that a scan of six services makes, as AWS answers them, and every other one as AWS
does where there is nothing. Where AWS's answer always has a member, it is there, whether wa-audit reads it or
not: a scanner that looks for it would end early, and seem fast. Every other resource bears a tag, every other
bucket keeps versions. Start it with `Loopback(...)` as a context manager, which serves from a thread of its
own, or with `process(...)`, which serves from a process of its own, so that what is measured shares no
interpreter with it. Either serves on 127.0.0.1 alone and ends with the block.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks import nothing

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
    regions: tuple[str, ...] = (REGION,)
    """Where there is all of this, buckets in turn; every other region is empty."""

    def times(self, factor: float) -> Account:
        """The same mixture, so many times."""
        numbers = {name: value for name, value in asdict(self).items() if isinstance(value, int)}
        return Account(**{name: round(n * factor) for name, n in numbers.items()}, regions=self.regions)

    @property
    def resources(self) -> int:
        regional = self.functions + self.queues + self.streams + self.jobs + self.tables
        return self.buckets + regional * len(self.regions)


@dataclass
class Counts:
    """What was asked: calls by operation, the most at once, and the sum of the times they took."""

    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    under_way: int = 0
    most_at_once: int = 0
    busy_seconds: float = 0.0
    connections: int = 0
    first_call: float = 0.0
    last_answer: float = 0.0

    def summary(self) -> dict[str, float]:
        """Times are `time.monotonic`, which all processes of a machine share."""
        lasted = self.last_answer - self.first_call
        return {
            "calls": sum(self.calls.values()),
            "throttled": self.throttled,
            "connections": self.connections,
            "first_call": self.first_call,
            "mean_concurrency": self.busy_seconds / lasted if lasted else 0.0,
        }


@dataclass
class _Bucket:
    """A token bucket: what AWS limits an operation by."""

    rate: float
    left: float
    filled: float = 0.0

    def take(self, now: float) -> bool:
        if self.filled:
            self.left = min(self.rate, self.left + (now - self.filled) * self.rate)
        self.filled = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Loopback:
    """The server. `latency` is in seconds, `throttle` the share of calls that are refused once, and `rates`
    are the calls a second, and at once, that are allowed of an operation."""

    def __init__(
        self,
        account: Account | None = None,
        *,
        latency: float = 0.05,
        throttle: float = 0.0,
        rates: Mapping[str, float] | None = None,
        seed: int = 1,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.account = account or Account()
        self.counts = Counts()
        self.endpoint = ""
        self._latency = latency
        self._throttle = throttle
        self._buckets = {name: _Bucket(rate, rate) for name, rate in (rates or {}).items()}
        self._tls = tls
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Loopback:
        self._thread.start()
        if not self._ready.wait(60):
            raise RuntimeError("the loopback AWS was not ready within 60 s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(5)

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop.stop()

    def _serve(self) -> None:
        nothing.routes()  # before anybody waits for it
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        )
        scheme = "https" if self._tls else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
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
                if head.startswith(b"GET /_counts "):
                    writer.write(self._told())
                    continue
                writer.write(await self._answered(head, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    def _told(self) -> bytes:
        """The counts so far, which begin anew."""
        told = json.dumps(self.counts.summary() | {"by_operation": self.counts.calls}).encode()
        self.counts = Counts()
        return f"HTTP/1.1 200 X\r\nContent-Length: {len(told)}\r\n\r\n".encode() + told

    def route(self, head: str, body: bytes) -> tuple[str, bytes, str]:
        """As the function `route`, of whichever account is asked."""
        return route(head, body, self.account)

    async def _answered(self, head: bytes, body: bytes) -> bytes:
        counts, started = self.counts, time.monotonic()
        counts.first_call = counts.first_call or started
        counts.under_way += 1
        counts.most_at_once = max(counts.most_at_once, counts.under_way)
        operation, answer, kind = self.route(head.decode("latin-1"), body)
        counts.calls[operation] += 1
        await asyncio.sleep(self._latency)
        counts.under_way -= 1
        counts.last_answer = time.monotonic()
        counts.busy_seconds += counts.last_answer - started
        status = 200
        bucket = self._buckets.get(operation)
        if self._random.random() < self._throttle or (bucket and not bucket.take(started)):
            counts.throttled += 1
            status, answer = 400, _throttling(kind)
        head_only = head.startswith(b"HEAD")
        extra = f"\r\nx-amz-bucket-region: {self.account.regions[0]}" if head_only else ""
        if answer.startswith((b"<Error>", b"<ErrorResponse>", b'{"__type"')) and status == 200:
            status = 404 if kind == "xml" else 400
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


def route(head: str, body: bytes, account: Account) -> tuple[str, bytes, str]:
    """Operation, answer and kind of body, of a request to an account."""
    line, _, headers = head.partition("\r\n")
    _, target, _ = line.split(" ", 2)
    scope = re.search(r"Credential=[^/]+/\d+/([\w-]+)/([\w-]+)/", headers)
    region, signed_for = scope.groups() if scope else (REGION, "")
    if region not in account.regions:
        account = Account(account.buckets, 0, 0, 0, 0, 0, account.regions)
    if found := re.search(r"(?i)x-amz-target: *(\S+)", headers):
        operation = found[1].rpartition(".")[2]
        service = found[1].partition("_")[0].partition(".")[0]
        return (
            f"{service}.{operation}",
            _json_answer(operation, json.loads(body or b"{}"), account, region, signed_for),
            "json",
        )
    if signed_for == "lambda":
        return *_lambda_answer(target, account, region), "json"
    if b"Action=" in body:
        action = parse_qs(body.decode())["Action"][0]
        return action, _query_answer(action, signed_for), "xml"
    if signed_for in ("s3", ""):
        return *_s3_answer(target, account), "xml"
    return nothing.answer(head, signed_for)


def _page(number: int, size: int, start: str | None) -> tuple[range, str]:
    """The numbers of one page, and what the next one begins with; empty at the end."""
    first = int(start or 0)
    end = min(number, first + size)
    return range(first, end), str(end) if end < number else ""


# What the Resource Groups Tagging API calls each type: its number, and what its ARN ends in.
_TAGGED = {
    "s3": ("buckets", "arn:aws:s3:::bucket-"),
    "lambda:function": ("functions", "arn:aws:lambda{}function:function-"),
    "sqs": ("queues", "arn:aws:sqs{}queue-"),
    "kinesis:stream": ("streams", "arn:aws:kinesis{}stream/stream-"),
    "glue:job": ("jobs", "arn:aws:glue{}job/job-"),
    "dynamodb:table": ("tables", "arn:aws:dynamodb{}table/table-"),
}
_TAG = {"Key": "team", "Value": "data"}


def _tagged(asked: dict[str, Any], account: Account, arn: str) -> dict[str, Any]:
    """Every other resource of the type that is asked for bears a tag."""
    name, stem = _TAGGED.get(asked["ResourceTypeFilters"][0], ("", ""))
    numbers, token = _page(getattr(account, name, 0), 200, asked.get("PaginationToken"))
    found = [{"ResourceARN": f"{stem.format(arn)}{n}", "Tags": [_TAG]} for n in numbers if n % 2]
    return {"ResourceTagMappingList": found, "PaginationToken": token}


def _is_tagged(name: str) -> bool:
    numbers = re.findall(r"-(\d+)", name)
    return bool(numbers) and int(numbers[-1]) % 2 == 1


def _tags_of(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case "ListQueueTags":
            return {"Tags": {"team": "data"}} if _is_tagged(asked["QueueUrl"]) else {}
        case "GetTags":
            return {"Tags": {"team": "data"} if _is_tagged(asked["ResourceArn"]) else {}}
        case "ListTagsOfResource":
            return {"Tags": [_TAG] if _is_tagged(asked["ResourceArn"]) else []}
        case "ListTagsForStream":
            name = asked.get("StreamName") or asked["StreamARN"]
            return {"Tags": [_TAG] if _is_tagged(name) else [], "HasMoreTags": False}
    return {}


def _json_answer(
    operation: str, asked: dict[str, Any], account: Account, region: str, signed_for: str
) -> bytes:
    arn = f":{region}:{ACCOUNT}:"
    match operation:
        case "GetResources":
            found: Any = _tagged(asked, account, arn)
        case "ListQueues":
            numbers, token = _page(account.queues, 1000, asked.get("NextToken"))
            found = {"QueueUrls": [f"http://127.0.0.1/{ACCOUNT}/queue-{n}" for n in numbers]}
            found |= {"NextToken": token} if token else {}
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
            numbers, token = _page(account.streams, 1000, asked.get("NextToken"))
            found = {"StreamNames": [f"stream-{n}" for n in numbers], "HasMoreStreams": bool(token)}
            found["StreamSummaries"] = [
                {
                    "StreamName": f"stream-{n}",
                    "StreamARN": f"arn:aws:kinesis{arn}stream/stream-{n}",
                    "StreamStatus": "ACTIVE",
                    "StreamModeDetails": {"StreamMode": "PROVISIONED"},
                    "StreamCreationTimestamp": 1_700_000_000,
                }
                for n in numbers
            ]
            found |= {"NextToken": token} if token else {}
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
                    "ConsumerCount": 0,
                }
            }
        case "ListTables":
            start = asked.get("ExclusiveStartTableName", "-").rpartition("-")[2]
            numbers, token = _page(account.tables, 100, start and str(int(start) + 1))
            found = {"TableNames": [f"table-{n}" for n in numbers]}
            found |= {"LastEvaluatedTableName": f"table-{numbers[-1]}"} if token else {}
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
            numbers, token = _page(account.jobs, 200, asked.get("NextToken"))
            found = {"Jobs": [_job(n) for n in numbers]} | ({"NextToken": token} if token else {})
        case _:
            found = _tags_of(operation, asked) or _SETTINGS.get(operation)
            if not found:
                return nothing.named(operation, signed_for)
    return json.dumps(found).encode()


_SETTINGS: dict[str, Any] = {
    "GetDataCatalogEncryptionSettings": {
        "DataCatalogEncryptionSettings": {
            "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
            "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
        }
    },
    "DescribeAccount": {"__type": "AWSOrganizationsNotInUseException", "message": "no organization"},
    "GetResourcePolicy": {"__type": "PolicyNotFoundException", "message": "none"},
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


def _lambda_answer(target: str, account: Account, region: str) -> tuple[str, bytes]:
    parts = urlsplit(target)
    path = unquote(parts.path.split("/", 2)[2]).rstrip("/")
    if path == "functions":
        numbers, token = _page(account.functions, 50, parse_qs(parts.query).get("Marker", [None])[0])
        found: dict[str, Any] = {"Functions": [_function(n, region) for n in numbers]}
        found |= {"NextMarker": token} if token else {}
        return "lambda.ListFunctions", json.dumps(found).encode()
    if path == "event-source-mappings":
        return "lambda.ListEventSourceMappings", b'{"EventSourceMappings": []}'
    first, _, last = path.rpartition("/")
    if first == "functions":
        number = int(last.rpartition("-")[2])
        found = {"Configuration": _function(number, region), "Code": {"RepositoryType": "S3"}}
        return "lambda.GetFunction", json.dumps(found).encode()
    answers = {
        "url": b'{"__type": "ResourceNotFoundException", "Message": "none"}',
        "urls": b'{"FunctionUrlConfigs": []}',
        "list": b'{"FunctionEventInvokeConfigs": []}',
        "concurrency": b"{}",
        "policy": b'{"Policy": "{\\"Statement\\": []}"}',
        "account-settings": b'{"AccountLimit": {"ConcurrentExecutions": 1000, '
        b'"UnreservedConcurrentExecutions": 1000}}',
    }
    if last in answers:
        return f"lambda.{last}", answers[last]
    return "lambda.ListTags", json.dumps({"Tags": {"team": "data"} if _is_tagged(path) else {}}).encode()


def _function(number: int, region: str) -> dict[str, Any]:
    name = f"function-{number}"
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/lambda",
        "Timeout": 30,
        "MemorySize": 256,
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "TracingConfig": {"Mode": "Active"},
        "Version": "$LATEST",
    }


def _query_answer(action: str, signed_for: str) -> bytes:
    match action:
        case "GetCallerIdentity":
            found = f"<Arn>arn:aws:iam::{ACCOUNT}:user/x</Arn><UserId>x</UserId><Account>{ACCOUNT}</Account>"
            return f"<{action}Response><{action}Result>{found}</{action}Result></{action}Response>".encode()
        case "DescribeRegions":
            found = f"<regionName>{REGION}</regionName><optInStatus>opt-in-not-required</optInStatus>"
            return (
                f"<{action}Response><regionInfo><item>{found}</item></regionInfo></{action}Response>".encode()
            )
    return nothing.named(action, signed_for)


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
    "acl": "<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList/></AccessControlPolicy>",
    "ownershipControls": "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>"
    "</Rule></OwnershipControls>",
    "location": f"<LocationConstraint>{REGION}</LocationConstraint>",
    "logging": "<BucketLoggingStatus/>",
    "notification": "<NotificationConfiguration/>",
}


_S3_TAGS = b"<Tagging><TagSet><Tag><Key>team</Key><Value>data</Value></Tag></TagSet></Tagging>"


def _s3_answer(target: str, account: Account) -> tuple[str, bytes]:
    parts = urlsplit(target)
    if parts.path == "/v20180820/configuration/publicAccessBlock":
        return "s3control.GetPublicAccessBlock", _s3_error("NoSuchPublicAccessBlockConfiguration")
    if parts.path == "/":
        start = parse_qs(parts.query).get("continuation-token", [None])[0]
        numbers, token = _page(account.buckets, 1000, start)
        buckets = "".join(
            f"<Bucket><Name>bucket-{n}</Name><CreationDate>2024-01-01T00:00:00Z</CreationDate>"
            f"<BucketRegion>{account.regions[n % len(account.regions)]}</BucketRegion></Bucket>"
            for n in numbers
        )
        more = f"<ContinuationToken>{token}</ContinuationToken>" if token else ""
        owner = "<Owner><ID>79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be</ID></Owner>"
        listed = f"{owner}<Buckets>{buckets}</Buckets>{more}"
        found = f"<ListAllMyBucketsResult>{listed}</ListAllMyBucketsResult>"
        return "s3.ListBuckets", found.encode()
    name = next(iter(parts.query.split("&"))).partition("=")[0] or "HeadBucket"
    number = re.search(r"^/bucket-(\d+)", parts.path)
    if number and int(number[1]) % 2:
        if name == "tagging":
            return "s3.tagging", _S3_TAGS
    elif name == "versioning":
        return "s3.versioning", b"<VersioningConfiguration/>"
    if name in _S3_MISSING:
        return f"s3.{name}", _s3_error(_S3_MISSING[name])
    return f"s3.{name}", _S3_ANSWERS.get(name, "<Nothing/>").encode()


def _s3_error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>none</Message></Error>".encode()


# -- in a process of its own -----------------------------------------------------------------------


class Remote:
    """A loopback AWS in another process: where it answers, and what it was asked."""

    def __init__(self, endpoint: str, ca: Path | None) -> None:
        self.endpoint = endpoint
        self.ca = ca

    def counts(self) -> dict[str, Any]:
        """What was asked since the last time, as `Counts.summary` gives it."""
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        with urllib.request.urlopen(f"{self.endpoint}/_counts", context=context, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def process(
    account: Account,
    *,
    latency: float,
    throttle: float = 0.0,
    rates: Mapping[str, float] | None = None,
    certificates: Path | None = None,
    seed: int = 1,
) -> Iterator[Remote]:
    """Serves from another process until the block ends; over TLS where there is a folder of certificates."""
    asked = {"account": asdict(account), "latency": latency, "rates": rates}
    asked |= {"throttle": throttle, "seed": seed}
    words = ["--certificates", str(certificates)] if certificates is not None else []
    with serving("benchmarks.loopback", json.dumps(asked), *words) as url:
        yield Remote(url, certificates and certificates / "ca.pem")


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """A module that serves from another process until the block ends; where, as it says in its first line."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            # It ends when nobody holds its input any more, however this process ends.
            server.stdin.close()


def server_context(certificates: Path) -> ssl.SSLContext:
    """The TLS of a server whose certificate and key lie in this folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    return context


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("asked", type=json.loads)
    parser.add_argument("--certificates", type=Path)
    options = parser.parse_args()
    tls = server_context(options.certificates) if options.certificates else None
    numbers = options.asked["account"]
    account = Account(**numbers | {"regions": tuple(numbers["regions"])})
    asked = options.asked | {"account": account}
    with Loopback(tls=tls, **asked) as loopback:
        print(loopback.endpoint, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
