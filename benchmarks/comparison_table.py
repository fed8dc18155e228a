"""The comparison as a page and as JSON."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from benchmarks.comparison import NONE, Apart, Argument, Comparison, Pair
from wa_audit.text import count, visible

# Names that the emulator draws at random, and that would make the page another one each time.
_DRAWN = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\w+-[0-9a-f]{8,17}")
_RIGHT = {
    "ours": "wa-audit's",
    "both": "each, of its own question",
    "emulator": "unknown: the emulator's answer is missing",
}
_HEAD = """\
# wa-audit and Prowler on one account

`make compare` writes this page. wa-audit and [Prowler](https://pypi.org/project/prowler/) 5.46 audit the
same demo account, one after the other, in an emulator that answers both alike; what they say is held against
each other by topic and resource. Prowler's statuses are written in capitals; `-` says that one of the two
does not judge the resource. A topic with several of Prowler's checks fails where one of them fails. Where one
of the two reports a problem and the other does not, or where wa-audit could not read what Prowler judges,
they disagree, and each disagreement is argued from AWS's documentation.
"""


def summary(found: Comparison) -> str:
    """One line: how many agree, and how many do not."""
    both, disagree = _both(found), len(found.argued) + len(found.unargued)
    right = Counter(argument.right for _, argument in found.argued)
    told = ", ".join(f"{number} {name}" for name, number in sorted(right.items()))
    alike = sum(pair.agrees for pair in both)
    return (
        f"{count(len(both), 'resource')} judged by both on {len({pair.rule for pair in both})} topics: "
        f"{alike} alike; {count(disagree, 'disagreement')} in all ({told or 'none argued'}), "
        f"{len(found.unargued)} without an argument"
    )


def line(pair: Pair) -> str:
    """One pair with what each said, for the terminal."""
    checks = f" ({', '.join(pair.checks)})" if pair.checks else ""
    told = " / ".join(visible(words) for words in (pair.message, pair.their_message) if words)
    return f"{pair.rule} on {visible(pair.name)}: {pair.ours} against {pair.theirs}{checks}: {told}"


def document(found: Comparison) -> bytes:
    """Every pair, with its argument where it has one."""
    why = {id(pair): argument for pair, argument in found.argued}
    rows = [
        {
            "rule": pair.rule,
            "checks": pair.checks,
            "resource": pair.resource,
            "name": pair.name,
            "ours": pair.ours,
            "theirs": pair.theirs,
            "agrees": pair.agrees,
            **({"right": why[id(pair)].right} if id(pair) in why else {}),
        }
        for pair in found.pairs
    ]
    told = {"format": "wa-audit-comparison", "version": 1, "rows": rows}
    return (json.dumps(told, indent=1) + "\n").encode()


def markdown(found: Comparison, apart: Iterable[Apart]) -> bytes:
    """The page."""
    body = [*_topics(found), *_disagreements(found), *_agreements(found), *_apart(apart)]
    parts = [_HEAD, f"{summary(found)}.\n", *body]
    return "\n".join(parts).encode()


def _both(found: Comparison) -> list[Pair]:
    return [pair for pair in found.pairs if NONE not in (pair.ours, pair.theirs)]


def _topics(found: Comparison) -> Iterator[str]:
    yield "## By topic\n"
    heads = ("wa-audit's rule", "both see a problem", "both see none", "disagree")
    yield f"| {' | '.join((*heads, 'wa-audit alone', 'Prowler alone'))} |"
    yield "| --- | --: | --: | --: | --: | --: |"
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in found.pairs:
        groups[pair.rule].append(pair)
    for rule, pairs in groups.items():
        columns = [
            sum(pair.agrees and pair.ours == "fail" for pair in pairs),
            sum(pair.agrees and pair.theirs == "PASS" and pair.ours != NONE for pair in pairs),
            sum(not pair.agrees for pair in pairs),
            sum(pair.agrees and pair.theirs == NONE for pair in pairs),
            sum(pair.agrees and pair.ours == NONE for pair in pairs),
        ]
        yield f"| [{rule}](rules/{rule}.md) | {' | '.join(map(str, columns))} |"
    yield "\nAlone: judged without a problem, or not judged for want of an answer, by one of the two.\n"


def _disagreements(found: Comparison) -> Iterator[str]:
    yield "## Disagreements\n"
    groups: dict[int, tuple[Argument, list[Pair]]] = {}
    for pair, argument in found.argued:
        groups.setdefault(id(argument), (argument, []))[1].append(pair)
    yield "| rule | resources | wa-audit | Prowler | whose verdict stands, and why |"
    yield "| --- | --- | --- | --- | --- |"
    for argument, pairs in groups.values():
        why = f"**{_RIGHT[argument.right]}**. {argument.because.strip()} ([AWS]({argument.source}))"
        yield f"| {argument.rule} | {_names(pairs)} | {argument.ours} | {argument.theirs} | {_cell(why)} |"
    for pair in found.unargued:
        yield f"| {pair.rule} | {_names([pair])} | {pair.ours} | {pair.theirs} | **not argued yet** |"
    yield ""


def _agreements(found: Comparison) -> Iterator[str]:
    yield "## Agreements\n"
    yield "| rule | both see a problem | both see none |"
    yield "| --- | --- | --- |"
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in _both(found):
        if pair.agrees:
            groups[pair.rule].append(pair)
    seen: Callable[[Pair], bool] = lambda pair: pair.ours == "fail"  # noqa: E731
    for rule, pairs in groups.items():
        problem, none = [p for p in pairs if seen(p)], [p for p in pairs if not seen(p)]
        yield f"| {rule} | {_names(problem)} | {_names(none)} |"
    yield ""


def _apart(apart: Iterable[Apart]) -> Iterator[str]:
    yield "## Not held against each other\n"
    yield "| rule | Prowler's checks | why |"
    yield "| --- | --- | --- |"
    for entry in apart:
        yield f"| {entry.rule} | {', '.join(entry.checks)} | {_cell(entry.because.strip())} |"
    yield ""


def _names(pairs: Iterable[Pair]) -> str:
    """Names in order; those drawn at random by their number."""
    names = [pair.name for pair in pairs]
    drawn = sum(bool(_DRAWN.fullmatch(name)) for name in names)
    told = [_cell(visible(name)) for name in sorted(names) if not _DRAWN.fullmatch(name)]
    return ", ".join([*told, *([f"{drawn} named by id"] if drawn else [])])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
