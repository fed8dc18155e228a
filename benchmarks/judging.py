"""How long the rules take to judge a large account, with findings streamed: assess.py and the checks alone.

    python -m benchmarks.judging [EVALUATIONS]

The account is the demo's, copied under other names until it has 10,000 resources; the rulebook is the
built-in one, its rules repeated under other ids until there are as many evaluations as are wanted. Findings
are counted as they come and kept nowhere. Runs in a process of its own; memory is that process's peak, the
inventory and its relations in it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks import memory
from wa_audit import assess, rulebook
from wa_audit import inventory as inventories
from wa_audit.inventory import ACCOUNT_TYPE, Inventory
from wa_audit.memory import seldom_collected
from wa_audit.model import Resource
from wa_audit.relations import relate
from wa_audit.rulebook import Rule, Rulebook

EVALUATIONS = 1_000_000
RESOURCES = 10_000
# Of these AWS lets an account have a handful in a Region.
FEW = frozenset({"AWS::CloudTrail::Trail", "AWS::Config::ConfigurationRecorder"})
DEMO = Path(__file__).resolve().parents[1] / "tests" / "golden" / "inventory.jsonl"


def account(resources: int) -> Inventory:
    """The demo's account, as often as it takes; what bears no name of Acme's is there once."""
    demo = inventories.read(DEMO)
    plain = msgspec.json.encode(list(demo))
    decode = msgspec.json.Decoder(list[Resource]).decode
    made: dict[str, Resource] = {}
    number = 0
    while len(made) < resources:
        for found in decode(plain.replace(b"acme", b"acme%d" % number)):
            if number == 0 or found.type not in FEW:
                made.setdefault(found.arn, found)
        number += 1
    return Inventory(demo.run, islice(made.values(), resources), demo.gaps)


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


def measure(evaluations: int) -> None:
    """Prints one row."""
    with seldom_collected():
        inventory = account(RESOURCES)
        started = time.perf_counter()
        related = relate(inventory)
        relating = time.perf_counter() - started
        book = repeated(rulebook.load(), related, evaluations)
        counts: Counter[str] = Counter()
        started, cpu = time.perf_counter(), time.process_time()
        for finding in assess.assess(related, book):
            counts[finding.status] += 1
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = memory.peak()
    said = ", ".join(f"{status} {number:,}" for status, number in sorted(counts.items()))
    total = sum(counts.values())
    print(f"{total:>11,} evaluations of {len(related):,} resources, {len(book.rules):,} rules")
    print(f"{relating:>11.2f} s to relate")
    print(f"{seconds:>11.2f} s to judge, {cpu:.2f} of CPU: {1e6 * cpu / total:.1f} µs each")
    print(f"{peak:>11.0f} MiB at most")
    print(f"            {said}")


def main() -> None:
    evaluations = int(sys.argv[1]) if len(sys.argv) > 1 else EVALUATIONS
    code = f"from benchmarks.judging import measure; measure({evaluations})"
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
