"""The golden files: what one saved inventory gives, byte for byte.

    python tools/golden.py              blesses what is stale
    python tools/golden.py --check      names what is stale, and exits 1 where anything is
    python tools/golden.py --collect    reads the embedded account anew into the inventory, then blesses

The inventory is the demo's. It is read anew only where it must be: the emulator draws its ids at random.
The report's packed data is laid open, so that a diff reads well and no build of zlib makes it stale.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from wa_audit import inventory as inventories
from wa_audit import report, rulebook, wiring
from wa_audit.report import embedded

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden"
INVENTORY = FOLDER / "inventory.jsonl"
FORMATS = ("json", "html")


def results() -> dict[str, bytes]:
    """Every golden file's bytes as the program makes them now, by its path within the folder."""
    everything = wiring.Judging.of_everything()
    audit = wiring.assess(inventories.read(INVENTORY), rulebook.load(), everything)
    with tempfile.TemporaryDirectory() as folder:
        made = {path.name: path.read_bytes() for path in report.write(audit, FORMATS, Path(folder))}
    return made | {"report.html": embedded.laid_open(made["report.html"])}


def stale(made: dict[str, bytes]) -> list[str]:
    """The names of the golden files that differ from these, or are not there."""
    return [
        name
        for name, content in made.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != content
    ]


def collect() -> None:
    """Reads the embedded account, every fact of it, into the golden inventory."""
    # A day of its own, so that what is judged by age stays as it is.
    os.environ["SOURCE_DATE_EPOCH"] = "1793534400"  # 2026-11-01
    from wa_audit import demo
    from wa_audit.collect import collect as read
    from wa_audit.collect import plan

    book = rulebook.load()
    everything = plan.plan(book.rules, plan.tag_reads(book.rules))
    with demo.account() as account:
        inventories.write(read(account.session, everything, account.regions), INVENTORY)


def main(arguments: list[str]) -> int:
    if "--collect" in arguments:
        collect()
    made = results()
    names = stale(made)
    if "--check" in arguments:
        for name in names:
            print(f"stale: tests/golden/{name}")
        if names:
            print("run 'make golden', look at the diff, and commit it")
        return 1 if names else 0
    for name in names:
        (FOLDER / name).write_bytes(made[name])
        print(f"wrote tests/golden/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
