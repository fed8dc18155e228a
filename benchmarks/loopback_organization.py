"""An organization on loopback: accounts, no two alike, each of which answers to the credentials of its role.

Every seventeenth account refuses its role, and every eleventh some calls. What an account holds, and in which
of the regions, follows from its number alone. `process(...)` serves from a process of its own.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import parse_qs

from benchmarks import loopback
from benchmarks.loopback import Account, Loopback

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
EXTERNAL_ID = "loopback"
UNITS = ("Root", "Root/Data", "Root/Data/Production", "Root/Data/Trial", "Root/Web")
_FIRST = 200_000_000_001
# What an account that denies anything denies.
_DENIED = (
    ("AmazonSQS.GetQueueAttributes",),
    ("DynamoDB.DescribeContinuousBackups",),
    ("AmazonSQS.ListQueues", "Kinesis.DescribeStreamSummary"),
)


def ids(accounts: int) -> list[str]:
    return [str(_FIRST + number) for number in range(accounts)]


def refuses(id_: str) -> bool:
    """Whether nobody can take on a role there."""
    return _number(id_) % 17 == 5


def denied(id_: str) -> tuple[str, ...]:
    """The operations that are refused there."""
    number = _number(id_)
    return _DENIED[number // 11 % len(_DENIED)] if number % 11 == 3 else ()


def listed(accounts: int) -> str:
    """The accounts as `wa-audit org plan --accounts` takes them."""
    lines = (f"{id_},account {_number(id_)},{UNITS[_number(id_) % len(UNITS)]}\n" for id_ in ids(accounts))
    return "".join(lines)


@cache
def account(id_: str) -> Account:
    """What an account holds."""
    chance = random.Random(id_)
    return Account(
        buckets=0,
        functions=0,
        queues=chance.randrange(10),
        streams=chance.randrange(6),
        jobs=0,
        tables=chance.randrange(6),
        regions=tuple(sorted(chance.sample(REGIONS, chance.randint(1, len(REGIONS))))),
    )


def _number(id_: str) -> int:
    return int(id_) - _FIRST


class Organization(Loopback):
    """The server."""

    def route(self, head: str, body: bytes) -> tuple[str, bytes, str]:
        if b"Action=AssumeRole" in body:
            return "AssumeRole", _assumed(parse_qs(body.decode())), "xml"
        found = re.search(r"Credential=ASIA(\d{12})", head)
        if not found:
            return super().route(head, body)
        id_ = found[1]
        own, known = id_.encode(), loopback.ACCOUNT.encode()
        head, body = head.replace(id_, loopback.ACCOUNT), body.replace(own, known)
        operation, answer, kind = loopback.route(head, body, account(id_))
        if operation in denied(id_):
            return operation, _REFUSED, kind
        if _number(id_) % 3 == 0:
            answer = answer.replace(b'"SqsManagedSseEnabled": "true"', b'"SqsManagedSseEnabled": "false"')
        return operation, answer.replace(known, own), kind


_REFUSED = b'{"__type": "AccessDeniedException", "message": "not authorized"}'


def _assumed(asked: dict[str, list[str]]) -> bytes:
    (arn,) = asked["RoleArn"]
    id_ = arn.split(":")[4]
    if refuses(id_) or asked.get("ExternalId") != [EXTERNAL_ID]:
        return b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    secrets = f"<AccessKeyId>ASIA{id_}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    secrets += "<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>"
    user = f"<AssumedRoleId>A:x</AssumedRoleId><Arn>arn:aws:sts::{id_}:assumed-role/reader/x</Arn>"
    found = f"<Credentials>{secrets}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    return f"<AssumeRoleResponse><AssumeRoleResult>{found}</AssumeRoleResult></AssumeRoleResponse>".encode()


@contextmanager
def process() -> Iterator[str]:
    """Serves from another process until the block ends; where."""
    with loopback.serving("benchmarks.loopback_organization") as url:
        yield url


def main() -> None:
    with Organization(latency=0.0) as organization:
        print(organization.endpoint, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
