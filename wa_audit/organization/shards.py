"""shards.json: what one run over an organization reads, an entry an account.

It is a plain JSON array, for that is what a Distributed Map of Step Functions reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from wa_audit.files import write_atomically
from wa_audit.model import ConfigurationError
from wa_audit.organization import SHARDS

# What `Shard.key` gives.
KEY = re.compile(
    rf"{SHARDS}/run=(?P<run>\d{{8}}T\d{{6}}Z)/account_id=(?P<account>\d{{12}})/findings\.parquet"
)

Account = Annotated[str, msgspec.Meta(pattern=r"^\d{12}$")]
Run = Annotated[str, msgspec.Meta(pattern=r"^\d{8}T\d{6}Z$")]


class Shard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account and its regions, as one run reads them.

    run:         the run, by the time in UTC at which it was planned. All its shards are judged as of then, so
                 that a shard read again is the same.
    name:        what the account is called; may be empty.
    unit:        the path of its organizational unit, `Root/Data/Production`; empty where it is not known.
    regions:     sorted; never empty.
    role_arn:    the role to take on; empty for the account that the credentials are of.
    external_id: what the role asks for beside; AWS does not hold it for a secret.
    """

    run: Run
    account: Account
    name: str = ""
    unit: str = ""
    regions: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    role_arn: str = ""
    external_id: str = ""

    @property
    def key(self) -> str:
        """Of the one object that comes of it."""
        return f"{folder(self.run)}/account_id={self.account}/findings.parquet"

    @property
    def planned(self) -> str:
        """When the run was planned, ISO 8601 in UTC."""
        r = self.run
        return f"{r[:4]}-{r[4:6]}-{r[6:8]}T{r[9:11]}:{r[11:13]}:{r[13:15]}Z"


def folder(run: str) -> str:
    """Under which a run's objects are kept."""
    return f"{SHARDS}/run={run}"


def write(path: Path, shards: Iterable[Shard]) -> None:
    """Writes shards.json, sorted by account. Raises OutputError."""
    write_atomically(path, [render(shards)])


def render(shards: Iterable[Shard]) -> bytes:
    """shards.json, a line an account."""
    encode = msgspec.json.Encoder().encode
    lines = [encode(shard) for shard in sorted(shards, key=lambda shard: shard.account)]
    return b"[\n" + b",\n".join(lines) + b"\n]\n"


def read(path: Path) -> list[Shard]:
    """The shards of a file.

    Raises:
        ConfigurationError: it cannot be read, is no list of shards, names an account twice, or more than one
            run.
    """
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None


def parse(raw: bytes, what: str) -> list[Shard]:
    """The shards of a file's content; `what` names it in errors. Raises ConfigurationError as `read`."""
    try:
        found = msgspec.json.decode(raw, type=list[Shard])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{what}: is no list of shards as 'wa-audit org plan' writes it: {error}"
        ) from None
    if not found:
        raise ConfigurationError(f"{what}: names no account")
    accounts: set[str] = set()
    for shard in found:
        if shard.account in accounts:
            raise ConfigurationError(f"{what}: names account {shard.account} twice")
        if shard.run != found[0].run:
            raise ConfigurationError(f"{what}: is of two runs, {found[0].run} and {shard.run}")
        accounts.add(shard.account)
    return found
