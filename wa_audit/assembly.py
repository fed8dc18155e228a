"""The objects of one run over an organization, out of a store, put together and written beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from wa_audit.model import ConfigurationError
from wa_audit.organization import ORGANIZATIONS, SHARDS

if TYPE_CHECKING:
    from wa_audit.organization.shards import Shard
    from wa_audit.report.organization import Organization, Point
    from wa_audit.stores import Store


def assemble(
    store: Store, run: str | None, planned: Sequence[Shard] = (), what: str = "shards.json"
) -> Organization:
    """What the accounts of a run come to; without one, of the latest. `planned` are all that it was to read:
    with them, a run of which nothing came is one too. `what` names them in errors.

    Raises:
        ConfigurationError: there is no such run, an object says of itself what is not so, or accounts were
            judged by different rulebooks.
        CredentialsError: AWS does not accept the credentials.
    """
    from wa_audit.organization import merging
    from wa_audit.organization.shards import KEY

    found = [match for key in store.keys(SHARDS) if (match := KEY.fullmatch(key))]
    runs = sorted({match["run"] for match in found})
    if not runs and not (run and planned):
        raise ConfigurationError(f"{store.place}: holds no run; 'wa-audit org scan' writes one")
    run = run or runs[-1]
    if run not in runs and not planned:
        raise ConfigurationError(f"{store.place}: holds no run {run}; its latest is {runs[-1]}")
    if planned and planned[0].run != run:
        raise ConfigurationError(f"{what}: is of run {planned[0].run}, not of {run}")
    counted, unreadable = [], []
    with TemporaryDirectory(prefix="wa-audit-") as scratch:
        database = merging.connect(Path(scratch))
        for match in found:
            if match["run"] != run:
                continue
            path = _local(store, match[0], Path(scratch))
            one = merging.count(database, path, f"{store.place}/{match[0]}", run, match["account"])
            if isinstance(one, str):
                unreadable.append((match["account"], one))
            else:
                counted.append(one)
        database.close()
    return merging.merge(run, counted, unreadable, planned, _earlier(store, run))


def write(store: Store, whole: Organization) -> tuple[str, str]:
    """Writes organization.json and organization.html; their keys. Raises OutputError, CredentialsError."""
    from wa_audit.report import organization_html  # and with it Jinja, once there is something to show
    from wa_audit.report.indented import as_json

    data, page = (f"{ORGANIZATIONS}/{whole.run}/organization.{kind}" for kind in ("json", "html"))
    store.write(data, [as_json(whole)], over=True)
    store.write(page, organization_html.render(whole), over=True)
    return data, page


def _local(store: Store, key: str, scratch: Path) -> Path:
    """Where DuckDB reads an object: in the folder itself, or a copy, which the next one replaces."""
    from wa_audit.stores import Folder

    if isinstance(store, Folder):
        return store.path / key
    copy = scratch / "findings.parquet"
    for _, raw in store.read([key]):
        copy.write_bytes(raw)
    return copy


def _earlier(store: Store, run: str) -> Iterator[Point]:
    """The runs before this one that were merged. Raises ConfigurationError where one cannot be read."""
    import msgspec

    from wa_audit.report.organization import Organization, point

    keys = [
        key
        for key in store.keys(ORGANIZATIONS)
        if key.endswith("/organization.json") and key.split("/")[1] < run
    ]
    for key, raw in store.read(keys):
        try:
            past = msgspec.json.decode(raw, type=Organization)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{store.place}/{key}: is no organization.json: {error}") from None
        yield point(past)
