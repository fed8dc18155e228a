"""Where audits are kept: a folder, or a prefix of one S3 bucket that the user named.

This is the one place where the program writes objects to AWS: the history where `--history s3://…` asks for
it, and what the scheduled run writes. It has nothing to do with the session that reads an account: that one's
guard refuses every write, and its S3 client does not even know `PutObject`. The client here stands behind a
guard of its own, which lets through the operations below, and these for the named bucket and prefix alone.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, TypeVar

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
# How far copies run ahead of whoever reads them.
MOST_COPIES = 8
MOST_COPIED = 512 * 2**20
_CHUNK = 2**20
# By which a browser shows a page instead of keeping it.
_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "md": "text/markdown; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

_Read = TypeVar("_Read")


class File(NamedTuple):
    """What a store holds: its key, and how many bytes it has."""

    key: str
    size: int


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

    def files(self, under: str) -> list[File]:
        """The files under a folder, sorted by key. Raises ConfigurationError or CredentialsError."""

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each key with what it holds, in their order. Raises ConfigurationError or CredentialsError."""

    def tails(self, keys: Iterable[str], size: int) -> Iterator[tuple[str, bytes]]:
        """Each key with its last `size` bytes, all of them where it has no more, in their order. Raises
        ConfigurationError or CredentialsError."""

    def copies(self, files: Iterable[File], scratch: Path) -> Generator[tuple[str, Path], None, None]:
        """Each key with where on this machine the file lies, in their order; a copy in the folder `scratch`
        is there until the next one is asked for. No more than `MOST_COPIES` lie there at once, nor, unless
        it is one alone, more than `MOST_COPIED` bytes.

        Raises:
            OutputError, ConfigurationError, CredentialsError: a copy cannot be written, or a file not read.
        """


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
        return [file.key for file in self.files(under)]

    def files(self, under: str) -> list[File]:
        try:
            next(self.path.iterdir(), None)
            # What begins with a dot is a file that was never finished.
            return sorted(
                File(path.relative_to(self.path).as_posix(), path.stat().st_size)
                for path in (self.path / under).rglob("*")
                if path.name[0] != "." and path.is_file()
            )
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return ((key, self._read(key, None)) for key in keys)

    def tails(self, keys: Iterable[str], size: int) -> Iterator[tuple[str, bytes]]:
        return ((key, self._read(key, size)) for key in keys)

    def copies(self, files: Iterable[File], scratch: Path) -> Generator[tuple[str, Path], None, None]:
        return ((file.key, self.path / file.key) for file in files)

    def _read(self, key: str, last: int | None) -> bytes:
        try:
            with (self.path / key).open("rb") as file:
                if last is not None:
                    file.seek(max(file.seek(0, io.SEEK_END) - last, 0))
                return file.read()
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
        if kind := _TYPES.get(key.rpartition(".")[2]):
            asked["ContentType"] = kind
        try:
            self._client(WRITES).put_object(**asked, **condition, **self._encrypted)
        except (BotoCoreError, ClientError) as error:
            if _code(error) != "PreconditionFailed":
                self._fail(error, f"{self.place}/{key}: cannot be written", OutputError)

    def keys(self, under: str) -> list[str]:
        return [file.key for file in self.files(under)]

    def files(self, under: str) -> list[File]:
        from botocore.exceptions import BotoCoreError, ClientError

        pages = self._client(READS).get_paginator("list_objects_v2")
        start = f"{self.prefix}{under}/"
        try:
            found = [
                File(entry["Key"].removeprefix(self.prefix), entry["Size"])
                for page in pages.paginate(Bucket=self.bucket, Prefix=start)
                for entry in page.get("Contents", ())
                if not entry["Key"].endswith("/")  # S3's console makes these for folders
            ]
        except (BotoCoreError, ClientError) as error:
            self._fail(error, f"{self.place}: cannot be read", ConfigurationError)
        return sorted(found)

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        client = self._client(READS)
        files = (File(key, 0) for key in keys)
        yield from _ahead(lambda key: b"".join(self._body(client, key)), files, _READERS)

    def tails(self, keys: Iterable[str], size: int) -> Iterator[tuple[str, bytes]]:
        client, last = self._client(READS), f"bytes=-{size}"
        files = (File(key, size) for key in keys)
        yield from _ahead(lambda key: b"".join(self._body(client, key, last)), files, _READERS)

    def copies(self, files: Iterable[File], scratch: Path) -> Generator[tuple[str, Path], None, None]:
        client = self._client(READS)
        with closing(_ahead(lambda key: self._copy(client, key, scratch), files, MOST_COPIES)) as ahead:
            for key, copy in ahead:
                yield key, copy
                copy.unlink()

    def _copy(self, client: Any, key: str, scratch: Path) -> Path:
        """Copies a file into the folder, which has no folders."""
        copy = scratch / key.replace("/", "%2F")
        try:
            with copy.open("wb") as file:
                file.writelines(self._body(client, key))
        except OSError as error:
            raise OutputError(f"{copy}: cannot be written: {error.strerror or error}") from None
        return copy

    def _body(self, client: Any, key: str, part: str = "") -> Iterator[bytes]:
        """What an object holds, or the range `part` of it, in pieces."""
        from botocore.exceptions import BotoCoreError, ClientError

        asked = {"Bucket": self.bucket, "Key": self.prefix + key} | ({"Range": part} if part else {})
        try:
            yield from client.get_object(**asked)["Body"].iter_chunks(_CHUNK)
        except (BotoCoreError, ClientError) as error:
            if _code(error) != "InvalidRange":  # an empty object has no last bytes
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


def _ahead(
    work: Callable[[str], _Read], files: Iterable[File], most: int
) -> Generator[tuple[str, _Read], None, None]:
    """Each key with what `work` makes of it, in their order. As many are under way or done as fit into `most`
    and `MOST_COPIED` bytes, what was handed out last among them, and always one."""
    left, ahead, held = deque(files), deque[tuple[File, Future[_Read]]](), 0
    with ThreadPoolExecutor(most) as pool:
        try:
            while left or ahead:
                while left and (not ahead or (len(ahead) < most and held + left[0].size <= MOST_COPIED)):
                    file = left.popleft()
                    held += file.size
                    ahead.append((file, pool.submit(work, file.key)))
                file, future = ahead.popleft()
                yield file.key, future.result()
                held -= file.size
        finally:
            pool.shutdown(cancel_futures=True)


def _code(error: BotoCoreError | ClientError) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
