"""The user's own file of prices: where it is, and how it is read and written.

The columns are those of aws/data/prices.tsv, tab-separated. `wa-audit prices refresh` writes it; every audit
takes its figures from it where it has any, and from the table that ships with the program where it has none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from wa_audit.aws import prices
from wa_audit.files import write_atomically
from wa_audit.model import ConfigurationError

_HEADING = "# What AWS asked, by its Price List API. Written by 'wa-audit prices refresh'.\n"


def default_path() -> Path:
    """Where the file is unless --prices says otherwise, after the XDG base directory specification."""
    home = os.environ.get("XDG_CONFIG_HOME") or ""
    # A relative one is to be ignored, says the specification.
    base = Path(home) if home.startswith("/") else Path.home() / ".config"
    return base / "wa-audit" / "prices.tsv"


def in_force(given: Path | None = None) -> prices.Table:
    """The prices that count: a file's, and the bundled ones where it has none.

    Raises:
        ConfigurationError: the file is not what it should be, or is not there although it was named.
    """
    path = given or default_path()
    if given is None and not path.is_file():
        return prices.bundled()
    return read(path).over(prices.bundled())


def read(path: Path) -> prices.Table:
    """Reads a file of prices.

    Raises:
        ConfigurationError: it cannot be read, or a line of it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8; 'wa-audit prices refresh' writes it") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    return prices.table(_rows(path, text), path.name)


def _rows(path: Path, text: str) -> Iterator[prices.Price]:
    heading = False
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if not heading:
            if tuple(cells) != prices.COLUMNS:
                wanted = ", ".join(prices.COLUMNS)
                raise ConfigurationError(f"{path}, line {number}: its columns are not {wanted}")
            heading = True
            continue
        try:
            yield prices.parse(cells)
        except ValueError as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from None
    if not heading:
        raise ConfigurationError(f"{path}: holds no prices; 'wa-audit prices refresh' writes it")


def write(path: Path, rows: Iterable[prices.Price]) -> None:
    """Writes prices, sorted, atomically. Raises OutputError as `write_atomically` does."""
    lines = ["\t".join(prices.COLUMNS)]
    lines += ["\t".join(_cells(row)) for row in sorted(rows)]
    write_atomically(path, [_HEADING.encode(), "".join(f"{line}\n" for line in lines).encode()])


def _cells(row: prices.Price) -> list[str]:
    return [row.item, row.region, f"{row.usd:.12f}".rstrip("0").rstrip("."), row.unit, row.date, row.source]
