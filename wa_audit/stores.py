"""Where audits are kept: a folder, or a prefix of one S3 bucket that the user named.

This is the one place where the program writes objects to AWS: the history where `--history s3://…` asks for
it, and what the scheduled run writes. It has nothing to do with the session that reads an account: that one's
guard refuses every write, and its S3 client does not even know `PutObject`. The client here stands behind a
guard of its own, which lets through the operations below, and these for the named bucket and prefix alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

from wa_audit import __version__
from wa_audit.files import check_writable, write_atomically
from wa_audit.model import ConfigurationError, CredentialsError, OutputError, Reason

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

WRITES = frozenset({"s3:PutObject"})
READS = frozenset({"s3:ListObjectsV2", "s3:GetObject"})
ACTIONS = {"PutObject": "s3:PutObject", "GetObject": "s3:GetObject", "ListObjectsV2": "s3:ListBucket"}

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")
_READERS = 16


class Store(Protocol):
    """Files by key, `runs/account_id=…/….jsonl`, under the place that the user named."""

    @property
    def place(self) -> str:
        """As the user would name it."""

    def check(self) -> None:
        """Sees, as far as nothing need be written for it, that files can be written.

        Raises:
            OutputError, ConfigurationError, CredentialsError: they cannot.
        """

    def write(self, key: str, chunks: Iterable[bytes], *, over: bool = False) -> None:
        """Writes a file whole or not at all; one that is there is replaced by the same bytes, or left. With
        `over` it is replaced, whatever it holds.

        Raises:
            OutputError, CredentialsError: it could not be written.
        """

    def keys(self, under: str) -> list[str]:
        """The keys under a folder, sorted. Raises ConfigurationError or CredentialsError."""

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each key with what it holds, in their order. Raises ConfigurationError or CredentialsError."""


def at(place: str, *, profile: str | None = None, endpoint_url: str | None = None) -> Store:
    """The store at `DIR` or `s3://bucket/prefix`. Nothing is opened, and nothing called.

    Raises:
        ConfigurationError: the place is neither.
    """
    if match := _BUCKET.fullmatch(place):
        return Bucket(match["bucket"], (match["prefix"] or "").strip("/"), profile, endpoint_url)
    if "://" in place or place.startswith("s3:"):
        raise ConfigurationError(f"{place!r} is neither a folder nor s3://BUCKET/PREFIX")
    if not place:
        raise ConfigurationError("the place of the history is empty; give a folder or s3://BUCKET/PREFIX")
    return Folder(Path(place))


class Folder(NamedTuple):
    """A store on disk; files are their owner's alone and replaced whole."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    def check(self) -> None:
        check_writable(self.path)

    def write(self, key: str, chunks: Iterable[bytes], *, over: bool = False) -> None:
        write_atomically(self.path / key, chunks)

    def keys(self, under: str) -> list[str]:
        try:
            next(self.path.iterdir(), None)
            found = [path for path in (self.path / under).rglob("*") if path.is_file()]
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        # What begins with a dot is a file that was never finished.
        return sorted(path.relative_to(self.path).as_posix() for path in found if path.name[0] != ".")

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for key in keys:
            try:
                yield key, (self.path / key).read_bytes()
            except OSError as error:
                raise ConfigurationError(
                    f"{self.path / key}: cannot be read: {error.strerror or error}"
                ) from None


class Bucket:
    """A store in S3. Its credentials are those of the profile or the environment, never those of the role
    that an audit takes on: that role reads, and may belong to another account."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        profile: str | None = None,
        endpoint_url: str | None = None,
        *,
        kms_key: str = "",
    ) -> None:
        """`kms_key` encrypts what is written; the bucket's own setting does where it is empty."""
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.place = f"s3://{bucket}/{prefix}".rstrip("/")
        self._profile, self._endpoint_url = profile, endpoint_url
        self._encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._clients: dict[frozenset[str], Any] = {}

    def check(self) -> None:
        self._client(WRITES)

    def write(self, key: str, chunks: Iterable[bytes], *, over: bool = False) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        # Kept once is kept: a key names its content, so what is there need not be written again.
        condition = {} if over else {"IfNoneMatch": "*"}
        asked = {"Bucket": self.bucket, "Key": self.prefix + key, "Body": b"".join(chunks)}
        try:
            self._client(WRITES).put_object(**asked, **condition, **self._encrypted)
        except (BotoCoreError, ClientError) as error:
            if _code(error) != "PreconditionFailed":
                self._fail(error, f"{self.place}/{key}: cannot be written", OutputError)

    def keys(self, under: str) -> list[str]:
        from botocore.exceptions import BotoCoreError, ClientError

        pages = self._client(READS).get_paginator("list_objects_v2")
        start = f"{self.prefix}{under}/"
        try:
            found = [
                entry["Key"].removeprefix(self.prefix)
                for page in pages.paginate(Bucket=self.bucket, Prefix=start)
                for entry in page.get("Contents", ())
            ]
        except (BotoCoreError, ClientError) as error:
            self._fail(error, f"{self.place}: cannot be read", ConfigurationError)
        return sorted(found)

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        client = self._client(READS)
        with ThreadPoolExecutor(_READERS) as pool:
            yield from pool.map(lambda key: (key, self._read(client, key)), keys)

    def _read(self, client: Any, key: str) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            body = client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"]
            return bytes(body.read())
        except (BotoCoreError, ClientError) as error:
            self._fail(error, f"{self.place}/{key}: cannot be read", ConfigurationError)

    def _client(self, operations: frozenset[str]) -> Any:
        """A client that can call these operations on this bucket, under this prefix, and nothing else. It is
        made once: that takes a third of a second."""
        if operations not in self._clients:
            self._clients[operations] = self._made(operations)
        return self._clients[operations]

    def _made(self, operations: frozenset[str]) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ProfileNotFound

        from wa_audit.collect.guard import Guard

        try:
            session = boto3.session.Session(profile_name=self._profile)
            if session.get_credentials() is None:
                raise CredentialsError(f"{self.place}: no AWS credentials; set a profile or the environment")
            client = session.client(
                "s3",
                region_name=session.region_name or "us-east-1",
                endpoint_url=self._endpoint_url,
                config=Config(
                    user_agent_extra=f"wa-audit/{__version__}",
                    retries={"mode": "standard", "max_attempts": 5},
                    connect_timeout=10,
                    read_timeout=60,
                    max_pool_connections=_READERS,
                    s3={"addressing_style": "path"},
                ),
            )
        except ProfileNotFound as error:
            raise ConfigurationError(f"unknown AWS profile {error.kwargs.get('profile')!r}") from None
        except BotoCoreError as error:
            self._fail(error, self.place, ConfigurationError)
        guard = Guard()
        guard.allowed = operations
        guard.install(client.meta.events)
        client.meta.events.register_first("before-parameter-build.s3", self._only_here)
        return client

    def _only_here(self, params: dict[str, Any], **_: Any) -> None:
        """Refuses whatever is not in this bucket and under this prefix."""
        key = str(params.get("Key", params.get("Prefix", "")))
        if params.get("Bucket") != self.bucket or not key.startswith(self.prefix):
            raise RuntimeError(f"{params.get('Bucket')}/{key} is outside {self.place} and was not called")

    def _fail(
        self,
        error: BotoCoreError | ClientError,
        what: str,
        kind: type[OutputError] | type[ConfigurationError],
    ) -> NoReturn:
        """One line on what S3 or the way to it said, with the action where that was refused."""
        from wa_audit.collect.errors import reason

        found = reason(error)
        operation = str(getattr(error, "operation_name", ""))
        answer = getattr(error, "response", {}).get("Error", {})
        words = f"{answer['Code']}: {answer.get('Message')}" if "Code" in answer else str(error)
        words = words.split("\n")[0]
        if found is Reason.EXPIRED_CREDENTIALS:
            raise CredentialsError(f"{what}: no usable AWS credentials: {words}") from None
        if found is Reason.ACCESS_DENIED:
            where = "" if operation == "ListObjectsV2" else f"/{self.prefix}*"
            words = f"s3:{operation} was denied; it needs {ACTIONS.get(operation, operation)}"
            words += f" on arn:aws:s3:::{self.bucket}{where}"
        raise kind(f"{what}: {words}") from None


def _code(error: BotoCoreError | ClientError) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
