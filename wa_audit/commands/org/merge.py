"""`wa-audit org merge`: what the objects of one run come to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from wa_audit import flags

if TYPE_CHECKING:
    from wa_audit.report.organization import Point
    from wa_audit.stores import Store


@click.command(epilog=flags.ORGANIZATION_EXIT_CODES)
@click.argument("place", metavar="DIR|s3://BUCKET/PREFIX")
@flags.run
@flags.planned
@flags.profile
@flags.endpoint_url
@flags.common
def merge(
    place: str, run: str | None, planned: Path | None, profile: str | None, endpoint_url: str | None
) -> None:
    """Put together what the accounts of a run come to, as 'wa-audit org scan' left them.

    Writes organizations/RUN/organization.json in the same place, and organization.html, a page of it: one
    score over all findings, by pillar, unit, account, pipeline and rule, worst first, and which accounts were
    not audited, and why.
    """
    from wa_audit import stores
    from wa_audit.model import ConfigurationError
    from wa_audit.organization import ORGANIZATIONS, SHARDS, merging
    from wa_audit.organization.shards import KEY, read
    from wa_audit.report.indented import as_json

    store = stores.at(place, profile=profile, endpoint_url=endpoint_url)
    found = [match for key in store.keys(SHARDS) if (match := KEY.fullmatch(key))]
    if not found:
        raise ConfigurationError(f"{store.place}: holds no run; 'wa-audit org scan' writes one")
    runs = sorted({match["run"] for match in found})
    run = run or runs[-1]
    if run not in runs:
        raise ConfigurationError(f"{store.place}: holds no run {run}; its latest is {runs[-1]}")
    named = read(planned) if planned else []
    if named and named[0].run != run:
        raise ConfigurationError(f"{planned}: is of run {named[0].run}, not of {run}")
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
    whole = merging.merge(run, counted, unreadable, named, _earlier(store, run))
    from wa_audit.report import organization_html  # and with it Jinja, once there is something to show

    folder = f"{ORGANIZATIONS}/{run}"
    store.write(f"{folder}/organization.json", [as_json(whole)], over=True)
    store.write(f"{folder}/organization.html", organization_html.render(whole), over=True)
    score = "none could be given" if whole.overall.score is None else f"{whole.overall.score:g}"
    click.echo(
        f"Score {score}, of {whole.audited} accounts audited out of {whole.planned}; "
        f"{store.place}/{folder}/organization.json and organization.html"
    )
    if whole.audited < whole.planned or any(account.partial for account in whole.accounts):
        click.get_current_context().exit(4)


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

    from wa_audit.model import ConfigurationError
    from wa_audit.organization import ORGANIZATIONS
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
