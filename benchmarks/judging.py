"""How long the rules take to judge large accounts, with findings streamed: assess.py and the checks alone.

    python -m benchmarks.judging [EVALUATIONS]

An account is the demo's, copied under other names until it has 10,000 resources, written to an inventory
file by another process, and read from it, as `wa-audit assess` does: copying leaves memory in pieces, and
what is then read into the gaps takes a tenth longer to judge. Findings are counted as they come and kept
nowhere. Two rows, each a process of its own:

- accounts: the built-in rulebook judges one such account after the other, each under names of its own, until
  there are as many evaluations as are wanted. No resource is judged twice by a rule, as in a scan;
- repeated: one account, the rules repeated under other ids. What a rule keeps for its next turn may make this
  one faster than any scan.

Memory is the process's peak, one inventory and its relations in it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import msgspec

from benchmarks import memory
from wa_audit import assess, rulebook
from wa_audit import inventory as inventories
from wa_audit.inventory import ACCOUNT_TYPE, Inventory
from wa_audit.memory import never_collected
from wa_audit.model import Resource, Status
from wa_audit.relations import relate
from wa_audit.rulebook import Rule, Rulebook

EVALUATIONS = 1_000_000
RESOURCES = 10_000
# Of these AWS lets an account have a handful in a Region.
FEW = frozenset({"AWS::CloudTrail::Trail", "AWS::Config::ConfigurationRecorder"})
DEMO = Path(__file__).resolve().parents[1] / "tests" / "golden" / "inventory.jsonl"


def account(resources: int, first: int = 0) -> Inventory:
    """The demo's account, as often as it takes, its copies numbered from `first`; what bears no name of
    Acme's is there once."""
    demo = inventories.read(DEMO)
    plain = msgspec.json.encode(list(demo))
    decode = msgspec.json.Decoder(list[Resource]).decode
    made: dict[str, Resource] = {}
    number = first
    while len(made) < resources:
        for found in decode(plain.replace(b"acme", b"acme%d" % number)):
            if number == first or found.type not in FEW:
                made.setdefault(found.arn, found)
        number += 1
    return Inventory(demo.run, islice(made.values(), resources), demo.gaps)


def write(number: int, file: str) -> None:
    """Writes the account of this number."""
    inventories.write(account(RESOURCES, number * RESOURCES), Path(file))


def stored(number: int) -> Inventory:
    """The account of this number as it comes back from its file, in which fields that say the same are one
    object."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "inventory.jsonl"
        _run(f"write({number}, {str(file)!r})")
        return inventories.read(file)


def _run(call: str) -> None:
    """A call of this module in a process of its own."""
    subprocess.run([sys.executable, "-c", f"from benchmarks import judging; judging.{call}"], check=True)


def repeated(book: Rulebook, inventory: Inventory, evaluations: int) -> Rulebook:
    """The rulebook with its rules repeated until they judge so often. Rules on the account as a whole look at
    all of it, and are there once."""
    rules = list(book.rules)
    left = evaluations - sum(_evaluations(rule, inventory) for rule in rules)
    again = (rule for rule in _for_ever(book) if ACCOUNT_TYPE not in rule.types)
    while left > 0:
        rules.append(next(again))
        left -= _evaluations(rules[-1], inventory)
    return replace(book, rules=tuple(rules))


def _for_ever(book: Rulebook) -> Iterator[Rule]:
    turn = 1
    while True:
        yield from (replace(rule, id=f"{rule.id}-{turn}") for rule in book.rules)
        turn += 1


def _evaluations(rule: Rule, inventory: Inventory) -> int:
    return sum(len(inventory.known(type_)) for type_ in rule.types)


def judged(book: Rulebook, way: str, number: int, evaluations: int) -> tuple[Counter[Status], int, float]:
    """What came of judging the account of this number: findings by status, resources, seconds of CPU."""
    related = relate(stored(number))
    if way == "repeated":
        book = repeated(book, related, evaluations)
    started = time.process_time()
    counts = Counter(finding.status for finding in assess.assess(related, book))
    taken = time.process_time() - started
    related.forget_derived()  # as `wiring.assess` does
    return counts, len(related), taken


def measure(way: str, evaluations: int) -> None:
    """Prints one row."""
    counts: Counter[Status] = Counter()
    resources, cpu, book = 0, 0.0, rulebook.load()
    with never_collected():
        for number in count():
            found, more, taken = judged(book, way, number, evaluations)
            counts, resources, cpu = counts + found, resources + more, cpu + taken
            if counts.total() >= evaluations:
                break
    said = ", ".join(f"{status} {number:,}" for status, number in sorted(counts.items()))
    print(f"{way}: {counts.total():,} evaluations of {resources:,} resources: {said}")
    each = 1e6 * cpu / counts.total()
    print(f"{cpu:>9.2f} s of CPU to judge, {each:.1f} µs each; {memory.peak():.0f} MiB at most")


def main() -> None:
    evaluations = int(sys.argv[1]) if len(sys.argv) > 1 else EVALUATIONS
    for way in ("accounts", "repeated"):
        _run(f"measure({way!r}, {evaluations})")


if __name__ == "__main__":
    main()
