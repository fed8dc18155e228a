"""The rulebook as a person, a program, or the documentation reads it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import msgspec

from wa_audit.aws import framework
from wa_audit.rulebook import Rule, Rulebook

_WIDTH = 88


def as_table(book: Rulebook) -> str:
    """One line a rule, by pillar."""
    width = max(len(rule.id) for rule in book.rules)
    lines = []
    pillar = None
    for rule in book.rules:
        if rule.pillar is not pillar:
            pillar = rule.pillar
            count = sum(1 for other in book.rules if other.pillar is pillar)
            lines += ["", f"{pillar.label} ({count})"]
        lines.append(f"  {rule.id:<{width}}  {rule.severity:<8}  {rule.title}")
    return "\n".join([*lines[1:], "", f"{len(book.rules)} rules"])


def as_json(book: Rulebook) -> str:
    """Every rule with all its words."""
    return msgspec.json.format(msgspec.json.encode([words(rule) for rule in book.rules]), indent=2).decode()


def words(rule: Rule) -> dict[str, object]:
    """A rule as plain data."""
    return {
        "id": rule.id,
        "pillar": str(rule.pillar),
        "theme": rule.theme,
        "severity": str(rule.severity),
        "resource_types": list(rule.types),
        "title": rule.title,
        "failure_title": rule.failure_title,
        "why": rule.why,
        "judgement": rule.judgement,
        "fix": rule.fix,
        "reads": list(rule.reads),
        "params": dict(rule.params),
        "against": list(rule.against),
        "best_practices": [practice._asdict() for practice in practices(rule)],
        "source": rule.source,
    }


def practices(rule: Rule) -> list[framework.BestPractice]:
    """The framework's and the lens's practices that the rule speaks to."""
    known = framework.best_practices(), framework.analytics_lens()
    return [known[0][id_] for id_ in rule.best_practices] + [known[1][id_] for id_ in rule.analytics_lens]


def explain(rule: Rule) -> str:
    """One rule for a person in a terminal."""
    sections = [
        f"{rule.id}  ({rule.severity}, {rule.pillar.label}, {rule.theme.replace('_', ' ')})",
        rule.title + ".",
        _section("Why", rule.why),
        _section("How it judges", rule.judgement),
        _section("Resources", ", ".join(rule.types)),
        _section("Reads", ", ".join(rule.reads) or "everything that is read of its resources"),
    ]
    if rule.params:
        sections.append(_section("Parameters", ", ".join(f"{k} = {v}" for k, v in rule.params.items())))
    sections.append(_section("Fix", rule.fix))
    if rule.against:
        sections.append(_section("Pulls against", ", ".join(rule.against) + ": how critical it is decides"))
    links = [f"  {practice.id}  {practice.title}\n    {practice.url}" for practice in practices(rule)]
    sections.append("Best practices\n" + "\n".join(links))
    if rule.source != "built-in":
        sections.append(_section("From", rule.source))
    return "\n\n".join(sections)


def _section(title: str, text: str) -> str:
    return title + "\n" + "\n".join(_wrapped(text.split("\n\n")))


def _wrapped(paragraphs: Iterable[str]) -> list[str]:
    return [
        textwrap.fill(
            " ".join(p.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
        for p in paragraphs
    ]
