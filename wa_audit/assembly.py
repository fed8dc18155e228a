"""The objects of one run over an organization, in a store: what each says, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from wa_audit.model import ConfigurationError
from wa_audit.organization import ORGANIZATIONS, SHARDS

if TYPE_CHECKING:
    from wa_audit.organization.outcomes import State
    from wa_audit.organization.shards import Shard
    from wa_audit.report.organization import Organization, Point
    from wa_audit.stores import File, Store


# In bytes; a footer with the whole rulebook takes some 60,000, and what has a longer one is asked again.
_FOOTER = 2**17


def states(store: Store, keys: Sequence[str]) -> Iterator[State]:
    """What the objects say became of their shards. Of each its footer is read, and no findings.

    Raises:
        ConfigurationError: one is no such object, or cannot be read.
        CredentialsError: AWS does not accept the credentials.
    """
    from wa_audit.organization.outcomes import footer
    from wa_audit.organization.scanning import state

    for key, tail in store.tails(keys, _FOOTER):
        size = footer(tail)
        ((_, whole),) = store.tails([key], size) if size > len(tail) else [(key, tail)]
        yield state(whole, f"{store.place}/{key}")


def planned(place: str, *, profile: str | None = None, endpoint_url: str | None = None) -> list[Shard]:
    """The shards of a shards.json on disk, or of one at `s3://BUCKET/KEY`.

    Raises:
        ConfigurationError: it cannot be read, or is none.
        CredentialsError: AWS does not accept the credentials.
    """
    from wa_audit import stores
    from wa_audit.organization import shards

    if "://" not in place:
        return shards.read(Path(place))
    folder, _, name = place.rpartition("/")
    ((_, raw),) = stores.at(folder, profile=profile, endpoint_url=endpoint_url).read([name])
    return shards.parse(raw, place)


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

    run, files = _run(store, run, planned)
    if planned and planned[0].run != run:
        raise ConfigurationError(f"{what}: is of run {planned[0].run}, not of {run}")
    objects = {file: match["account"] for file in files if (match := KEY.fullmatch(file.key))}
    accounts = {file.key: account for file, account in objects.items()}
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
    passed_over = [file.key for file in files if file not in objects]
    return merging.merge(run, counted, unreadable, planned, _earlier(store, run), passed_over)


def _run(store: Store, wanted: str | None, planned: Sequence[Shard]) -> tuple[str, list[File]]:
    """The run that is wanted, or else the latest, and what lies under it.

    Raises:
        ConfigurationError: there is no such run, or none at all, and none was planned.
    """
    from wa_audit.organization.shards import KEY, folder

    # What lies under one run can be listed without the others, which may be a year's.
    files = store.files(folder(wanted)) if wanted else []
    if wanted and planned and planned[0].run == wanted:
        return wanted, files
    if not any(KEY.fullmatch(file.key) for file in files):
        files = store.files(SHARDS)
    runs = sorted({match["run"] for file in files if (match := KEY.fullmatch(file.key))})
    if not runs:
        raise ConfigurationError(f"{store.place}: holds no run; 'wa-audit org scan' writes one")
    run = wanted or runs[-1]
    if run not in runs:
        raise ConfigurationError(f"{store.place}: holds no run {run}; its latest is {runs[-1]}")
    return run, [file for file in files if file.key.startswith(f"{folder(run)}/")]


def write(store: Store, whole: Organization) -> tuple[str, str]:
    """Writes organization.json and organization.html; their keys. Raises OutputError, CredentialsError."""
    from wa_audit.report import organization_html  # and with it Jinja, once there is something to show
    from wa_audit.report.indented import as_json

    data, page = (f"{ORGANIZATIONS}/{whole.run}/organization.{kind}" for kind in ("json", "html"))
    store.write(data, [as_json(whole)], over=True)
    store.write(page, organization_html.render(whole), over=True)
    return data, page


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
