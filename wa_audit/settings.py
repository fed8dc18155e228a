"""The configuration as people meet it: a file to begin with, what is in force, and its JSON Schema."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from wa_audit import questions
from wa_audit.config import Config
from wa_audit.flags import SETTINGS, Setting
from wa_audit.model import Pillar, Severity
from wa_audit.questions import Answer, Reply
from wa_audit.rulebook import Rule, Rulebook
from wa_audit.text import visible

# -- a file to begin with --------------------------------------------------------------------------


def template(book: Rulebook, *above: str) -> str:
    """A configuration in which everything is commented out; its tables stand under the keys `above`."""
    example = next(rule for rule in book.rules if rule.params)
    sections = [
        "# The configuration of wa-audit. A line that is commented out shows what holds without it, or what\n"
        "# it could be. A flag goes before an environment variable, and that before this file. Paths start\n"
        "# at its folder. 'wa-audit config' prints what is in force, and where each value comes from.\n",
        f"[{toml_key(*above, 'options')}]\n" + "\n".join(map(_commented, SETTINGS.values())),
        "# Severities and thresholds of rules, and rules switched off; 'wa-audit rules' lists them.\n"
        + _commented_lines(
            f"[{toml_key(*above, 'rules', example.id)}]",
            f"severity = {toml(str(example.severity))}",
            f"params = {toml(dict(example.params))}",
            "enabled = false",
        ),
        f"[{toml_key(*above, 'scoring')}]\n"
        + _commented_lines(
            f"pillar_weights = {toml({str(p): w for p, w in book.pillar_weights.items()})}",
            f"least_coverage = {toml(book.least_coverage)}",
        ),
        "# Best practices that no rule speaks to. Answer yes, no or not-applicable, and say who did and\n"
        "# when, as in the first line. Answers stand in the report, and never change the score.\n"
        f"[{toml_key(*above, 'answers')}]\n"
        '# "ID" = {answer = "yes", who = "NAME", date = 2026-11-01, note = "WHERE IT IS WRITTEN DOWN"}\n'
        + "\n".join(
            f"# {toml_key(question.practice.id)} = {{}}  # {question.practice.title}"
            for question in questions.of(book, {})
        ),
    ]
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


def _commented(setting: Setting) -> str:
    """A setting's help, and the line that would set it."""
    value = default(setting)
    if value in (None, [], ""):
        one = _example(setting)
        value = [one] if setting.multiple else one
    return _commented_lines(setting.help or "", f"{setting.key} = {toml(value)}")


def _commented_lines(*lines: str) -> str:
    return "".join(f"# {line}\n" for line in lines)


def _example(setting: Setting) -> Any:
    if isinstance(setting.type, click.Choice):
        return next(iter(setting.type.choices))
    return 80 if isinstance(setting.type, click.FloatRange) else setting.metavar or ""


def default(setting: Setting) -> Any:
    """What a setting is by default, in the types of TOML; None where it is not set, a list if it is many."""
    value = setting.get_default(click.Context(click.Command("")), call=True)
    if setting.multiple:
        return list(value) if isinstance(value, list | tuple) else []
    return value if isinstance(value, str | int | float | Path) else None


# -- what is in force ------------------------------------------------------------------------------


class Value(NamedTuple):
    """A value, the path of keys that sets it, and where it comes from."""

    keys: tuple[str, ...]
    value: Any
    origin: str


def in_force(
    context: click.Context, config: Config, book: Rulebook, answers: Mapping[str, Answer]
) -> Iterator[Value]:
    """Every option, what is changed of the rules, the scoring, and the answers.

    `context` is that of a command whose options are SETTINGS.
    """
    for setting in context.command.params:
        if isinstance(setting, Setting) and setting.key in SETTINGS and setting.name in context.params:
            yield Value(
                ("options", setting.key), context.params[setting.name], _origin(context, setting, config)
            )
    for rule in book.rules:
        for name, place in rule.changed.items():
            yield Value(("rules", rule.id, *name.split(".")), _changed(rule, name), place)
    for name, place in book.changed.items():
        if name.startswith("rules."):
            yield Value((*name.split("."), "enabled"), False, place)
    for pillar, weight in book.pillar_weights.items():
        place = book.changed.get(f"pillar_weights.{pillar}", "default")
        yield Value(("scoring", "pillar_weights", str(pillar)), weight, place)
    least = book.changed.get("least_coverage", "default")
    yield Value(("scoring", "least_coverage"), book.least_coverage, least)
    for id_, answer in answers.items():
        yield Value(("answers", id_, "answer"), str(answer.answer), config.place("answers", id_))
        yield Value(("answers", id_, "who"), answer.who, config.place("answers", id_, "who"))
        yield Value(("answers", id_, "date"), answer.date, config.place("answers", id_, "date"))
        if answer.note:
            yield Value(("answers", id_, "note"), answer.note, config.place("answers", id_, "note"))


def _changed(rule: Rule, name: str) -> Any:
    return str(rule.severity) if name == "severity" else rule.params[name.partition(".")[2]]


def _origin(context: click.Context, setting: Setting, config: Config) -> str:
    match context.get_parameter_source(setting.name or ""):
        case ParameterSource.COMMANDLINE:
            return f"flag --{setting.key}"
        case ParameterSource.ENVIRONMENT:
            # click's own order: the first that is there.
            return f"environment variable {next(name for name in setting.variables if os.environ.get(name))}"
        case ParameterSource.DEFAULT_MAP:
            return config.place("options", setting.key)
        case _:
            return "default"


def as_text(values: Iterable[Value]) -> str:
    """The values as a configuration that says the same, each with where it comes from."""
    sections = []
    for section, found in groupby(values, key=lambda value: value.keys[0]):
        lines = []
        for value in found:
            key = toml_key(*value.keys[1:])
            plain = _plain(value.value)
            said = f"# {key} is not set" if plain in (None, [], "") else f"{key} = {toml(plain)}"
            lines.append((visible(said), visible(value.origin)))
        width = min(60, max(len(said) for said, _ in lines))
        sections.append(
            f"[{section}]\n" + "\n".join(f"{said:<{width}}  # {origin}" for said, origin in lines)
        )
    return "\n\n".join(sections)


def as_json(values: Iterable[Value]) -> str:
    """The values as a list of `{"key": …, "value": …, "from": …}`."""
    listed = [
        {"key": toml_key(*value.keys), "value": _plain(value.value), "from": value.origin} for value in values
    ]
    return json.dumps(listed, indent=1, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


# -- TOML ------------------------------------------------------------------------------------------


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if float(value).is_integer() and abs(value) < 1e6 else repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_key(str(key))} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(*keys: str) -> str:
    """A path of keys, of which those that are no bare keys are quoted."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml(key) for key in keys)


# -- its schema ------------------------------------------------------------------------------------


def schema(book: Rulebook) -> str:
    """The JSON Schema of a configuration; in a pyproject.toml it stands under `tool.wa-audit`."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wa-audit.toml",
        "description": "The configuration of wa-audit.",
        **_object(
            options=_object(**{setting.key: _option_schema(setting) for setting in SETTINGS.values()})
            | {"description": "Defaults of the command line's flags."},
            rules={
                "description": "Changes to rules, by their ids.",
                "type": "object",
                "properties": {rule.id: _rule_schema(rule) for rule in book.rules},
                "additionalProperties": {"$ref": "#/$defs/rule"},  # a user's own
            },
            scoring=_object(
                pillar_weights=_object(**{str(p): {"type": "number", "minimum": 0} for p in Pillar}),
                least_coverage={
                    "type": "number",
                    "minimum": 0,
                    "maximum": 100,
                    "default": book.least_coverage,
                },
            ),
            answers=_object(
                **{id_: _answer_schema(found.title) for id_, found in questions.practices().items()}
            )
            | {"description": "Answers to best practices that only a person can judge, by their ids."},
        ),
        "$defs": {
            "rule": _object(
                severity={"enum": [str(severity) for severity in Severity]},
                enabled={"type": "boolean", "default": True},
                params={"type": "object"},
            ),
            "answer": _object(
                answer={"enum": [str(reply) for reply in Reply]},
                who={"type": "string", "minLength": 1, "description": "Who answers for it."},
                date={"type": "string", "format": "date"},
                note={"type": "string"},
            )
            | {"required": ["answer", "who", "date"]},
        },
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _option_schema(setting: Setting) -> dict[str, Any]:
    one: dict[str, Any] = {"type": "string"}
    if setting.is_flag:
        one = {"type": "boolean"}
    elif isinstance(setting.type, click.IntRange | click.FloatRange):
        one = {"type": "integer" if isinstance(setting.type, click.IntRange) else "number"}
        one |= {"minimum": setting.type.min, "maximum": setting.type.max}
    elif type(setting.type) is click.Choice:
        one = {"enum": list(setting.type.choices)}
    elif isinstance(setting.type, click.Choice):
        one = {"type": "string", "pattern": f"^({'|'.join(setting.type.choices)})(=.+)?$"}
    made = {"type": "array", "items": one} if setting.multiple else one
    value = _plain(default(setting))
    return {"description": setting.help, **made, **({} if value is None else {"default": value})}


def _rule_schema(rule: Rule) -> dict[str, Any]:
    params = {name: _param_schema(value) for name, value in sorted(rule.params.items())}
    return {
        "description": rule.title,
        "$ref": "#/$defs/rule",
        "properties": {"params": {"properties": params, "additionalProperties": False}},
    }


def _param_schema(value: Any) -> dict[str, Any]:
    """What fits where the default has a value: see `wa_audit.rulebook`."""
    types = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    made: dict[str, Any] = {"type": types[type(value)], "default": value}
    if isinstance(value, list) and value:
        made["items"] = {"type": types[type(value[0])]}
    return made


def _answer_schema(title: str) -> dict[str, Any]:
    return {"description": title, "$ref": "#/$defs/answer"}
