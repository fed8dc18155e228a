"""`wa-audit org merge`: what the objects of one run come to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from wa_audit import flags, wiring

if TYPE_CHECKING:
    from wa_audit.report.organization import Point
    from wa_audit.stores import File, Store


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

    Writes organizations/RUN/organization.json in the same place: one score over all findings, by pillar,
    unit, account, pipeline and rule, worst first, and which accounts were not audited, and why. What lies
    beside the accounts' objects is named, and never counted.
    """
    from wa_audit import stores
    from wa_audit.model import ConfigurationError
    from wa_audit.organization import ORGANIZATIONS, merging
    from wa_audit.organization.shards import KEY, read
    from wa_audit.report.indented import as_json

    store = stores.at(place, profile=profile, endpoint_url=endpoint_url)
    run, files = _run(store, run)
    named = read(planned) if planned else []
    if named and named[0].run != run:
        raise ConfigurationError(f"{planned}: is of run {named[0].run}, not of {run}")
    objects = {file: match["account"] for file in files if (match := KEY.fullmatch(file.key))}
    accounts = {file.key: account for file, account in objects.items()}
    passed_over = [file.key for file in files if file not in objects]
    counted, unreadable = [], []
    with (
        TemporaryDirectory(prefix="wa-audit-") as scratch,
        closing(merging.connect(Path(scratch))) as database,
        closing(store.copies(objects, Path(scratch))) as copies,
    ):
        for key, path in copies:
            one = merging.count(database, path, f"{store.place}/{key}", run, accounts[key])
            if isinstance(one, str):
                unreadable.append((accounts[key], one))
            else:
                counted.append(one)
    whole = merging.merge(run, counted, unreadable, named, _earlier(store, run), passed_over)
    key = f"{ORGANIZATIONS}/{run}/organization.json"
    store.write(key, [as_json(whole)], over=True)
    score = "none could be given" if whole.overall.score is None else f"{whole.overall.score:g}"
    click.echo(
        f"Score {score}, of {whole.audited} accounts audited out of {whole.planned}; {store.place}/{key}"
    )
    for other in passed_over:
        wiring.say(f"{store.place}/{other}: is no account's object, and was not counted")
    if passed_over or whole.audited < whole.planned or any(account.partial for account in whole.accounts):
        click.get_current_context().exit(4)


def _run(store: Store, wanted: str | None) -> tuple[str, list[File]]:
    """The run that is wanted, or else the latest, and what lies under it.

    Raises:
        ConfigurationError: there is no such run, or none at all.
    """
    from wa_audit.model import ConfigurationError
    from wa_audit.organization import SHARDS
    from wa_audit.organization.shards import KEY, folder

    # What lies under one run can be listed without the others, which may be a year's.
    files = store.files(folder(wanted)) if wanted else []
    if not any(KEY.fullmatch(file.key) for file in files):
        files = store.files(SHARDS)
    runs = sorted({match["run"] for file in files if (match := KEY.fullmatch(file.key))})
    if not runs:
        raise ConfigurationError(f"{store.place}: holds no run; 'wa-audit org scan' writes one")
    run = wanted or runs[-1]
    if run not in runs:
        raise ConfigurationError(f"{store.place}: holds no run {run}; its latest is {runs[-1]}")
    return run, [file for file in files if file.key.startswith(f"{folder(run)}/")]


def _earlier(store: Store, run: str) -> Iterator[Point]:
    """The runs before this one that were merged. Raises ConfigurationError where one cannot be read."""
    import msgspec

    from wa_audit.model import ConfigurationError
    from wa_audit.organization import ORGANIZATIONS
    from wa_audit.report.organization import Organization, Point

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
        yield Point(
            run=past.run,
            score=past.overall.score,
            coverage=past.overall.coverage,
            audited=past.audited,
            planned=past.planned,
        )
