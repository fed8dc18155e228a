"""The rulebook: every rule's words from YAML, paired with the check of the same name.

It refuses to start, with one line that names the file, where an entry and a check do not match one to one,
a parameter is unknown, a best-practice id does not exist, or a check file does not import. Rules of a
user's own come three ways, all through this loader: an overlay file, a folder of checks with a rules.yaml
of its own, and an installed package's entry point. A configuration changes rules as an overlay does.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FunctionType, MappingProxyType
from typing import Any

import msgspec

from wa_audit import checkfiles, expressions, yamlfile
from wa_audit.aws import framework
from wa_audit.files import CHECKS, RULES
from wa_audit.model import ConfigurationError, Pillar, Severity, Verdict
from wa_audit.text import unknown

SCORING = "scoring"

Judge = Callable[..., Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its words, its thresholds, and the function that judges.

    The function takes a resource, and the inventory too where the rule `looks_around`.
    `reads` names the operations whose answers it needs beside its own resources' lists; where it is empty,
    everything that is read of its types. `estimates` names those that only tell how much a failure wastes:
    without them the amount is unknown, and the verdict the same. `judgement` tells a person how it judges;
    `changed` where what a user has changed of it stands, by `severity` and `params.NAME`; `against` names the
    rules whose best practices pull the other way.
    """

    id: str
    pillar: Pillar
    theme: str
    severity: Severity
    types: tuple[str, ...]
    title: str
    failure_title: str
    why: str
    fix: str
    judgement: str
    best_practices: tuple[str, ...]
    analytics_lens: tuple[str, ...]
    reads: tuple[str, ...]
    params: Mapping[str, Any]
    source: str
    function: Judge = field(compare=False)  # `params` and `source` say what it does
    looks_around: bool
    changed: Mapping[str, str] = field(default_factory=dict)
    against: tuple[str, ...] = ()
    estimates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of one run, by pillar, theme and id, and how their scores are weighed.

    `changed` says where it stands that a rule is switched off, by `rules.ID`, or the scoring changed, by
    `pillar_weights.PILLAR` and `least_coverage`.
    """

    rules: tuple[Rule, ...]
    pillar_weights: Mapping[Pillar, float]
    least_coverage: float
    digest: str
    is_part: bool = False
    changed: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, id_: str) -> Rule:
        """The rule of this id. Raises ConfigurationError, with what may have been meant."""
        for rule in self.rules:
            if rule.id == id_:
                return rule
        raise ConfigurationError(unknown("rule", id_, [rule.id for rule in self.rules]))

    def select(
        self,
        *,
        pillars: Iterable[str] = (),
        rules: Iterable[str] = (),
        severities: Iterable[str] = (),
    ) -> Rulebook:
        """The rulebook cut down to what is asked for; nothing asked for is everything.

        Raises:
            ConfigurationError: a rule or pillar is unknown, or nothing is left.
        """
        wanted = {self[id_].id for id_ in rules}
        names = [pillar.value for pillar in Pillar]
        for pillar in pillars:
            if pillar not in names:
                raise ConfigurationError(unknown("pillar", pillar, names))
        left = tuple(
            rule
            for rule in self.rules
            if (not wanted or rule.id in wanted)
            and (not pillars or rule.pillar in pillars)
            and (not severities or rule.severity in severities)
        )
        if not left:
            raise ConfigurationError("no rule is left by --pillar, --rule, --severity and --rules together")
        return replace(self, rules=left, is_part=len(left) < len(self.rules))


# -- what the YAML says ----------------------------------------------------------------------------


class _Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    severity: Severity
    title: str
    failure_title: str
    why: str
    fix: str
    best_practices: list[str]
    analytics_lens: list[str] = []
    reads: list[str] = []
    estimates: list[str] = []
    params: dict[str, Any] = {}
    against: list[str] = []
    enabled: bool = True
    # A rule without code:
    theme: str = ""
    resource_type: str = ""
    when: str = ""
    assert_: str = msgspec.field(name="assert", default="")


class _Override(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    severity: Severity | None = None
    params: dict[str, Any] = {}
    enabled: bool = True


class _Scoring(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pillar_weights: dict[Pillar, float] = {}
    least_coverage: float | None = None


# -- loading ---------------------------------------------------------------------------------------


def load(
    *,
    overlays: Iterable[Path] = (),
    folders: Iterable[Path] = (),
    plugins: Iterable[str] = (),
    configuration: yamlfile.Document | None = None,
    rules: Path = RULES,
    checks: Path = CHECKS,
) -> Rulebook:
    """The rulebook: the built-in one, then folders of checks, then plug-ins, then what a configuration says
    under `rules` and `scoring`, then overlays, in this order.

    Raises:
        ConfigurationError: anything of it is wrong; the line names the file and what would be right.
    """
    draft = _Draft()
    draft.add_folder(rules, checks, "wa_audit.checks", "built-in")
    draft.changed.clear()  # what the built-in book says is no change
    for number, folder in enumerate(folders):
        draft.add_folder(folder / "rules.yaml", folder, f"wa_audit_checks_{number}", str(folder))
    for name in plugins:
        folder = checkfiles.plugin_folder(name)
        draft.add_folder(folder / "rules.yaml", folder, f"wa_audit_plugin_{name}", f"plugin {name}")
    if configuration is not None:
        draft.add_configuration(configuration)
    for overlay in overlays:
        draft.add_overlay(overlay)
    return draft.finish()


@dataclass(slots=True)
class _Draft:
    """A rulebook being put together."""

    rules: dict[str, Rule] = field(default_factory=dict)
    switched_off: dict[str, Rule] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    pulls: dict[tuple[str, str], str] = field(default_factory=dict)
    weights: dict[Pillar, float] = field(default_factory=lambda: dict.fromkeys(Pillar, 1.0))
    least_coverage: float = 50.0
    digest: Any = field(default_factory=hashlib.sha256)

    def add_folder(self, rules: Path, checks: Path, mount: str, source: str) -> None:
        """A rules.yaml and its folder of checks, one to one."""
        document = yamlfile.read(rules)
        self.digest.update(rules.read_bytes())
        functions = checkfiles.functions(checks, mount, self.digest)
        for pillar, id_, raw in self._entries(document):
            if id_ in self.rules:
                raise document.error(f"rule {id_!r} exists already ({self.rules[id_].source})", pillar, id_)
            entry = document.convert(raw, _Entry, pillar, id_)
            function = None if entry.assert_ else functions.pop((pillar, id_.replace("-", "_")), None)
            self._add(document, pillar, id_, entry, function, source)
        for (pillar, name), (check, _) in functions.items():
            id_ = name.replace("_", "-")
            raise ConfigurationError(
                f"{checkfiles.place(check)}: check {name} has no entry {id_!r} under '{pillar}' in {rules}"
            )

    def add_overlay(self, path: Path) -> None:
        """Changes to rules that exist, and rules whose check is an expression."""
        document = yamlfile.read(path)
        self.digest.update(path.read_bytes())
        for pillar, id_, raw in self._entries(document):
            if isinstance(raw, dict) and "assert" in raw:
                if id_ in self.rules:
                    raise document.error(
                        f"rule {id_!r} exists already; an overlay cannot replace its check", pillar, id_
                    )
                self._add(document, pillar, id_, document.convert(raw, _Entry, pillar, id_), None, str(path))
            else:
                self._override(document, pillar, id_, raw)

    def add_configuration(self, document: yamlfile.Document) -> None:
        """Changes to rules that exist, by their ids under `rules`, and to the scoring."""
        said = {key: document.data[key] for key in ("rules", SCORING) if key in document.data}
        self.digest.update(msgspec.json.encode(said, order="sorted") if said else b"")
        rules = said.get("rules", {})
        if not isinstance(rules, dict):
            raise document.error("rules holds rules by their names", "rules")
        for id_, raw in rules.items():
            self._override(document, "rules", id_, raw)
        if SCORING in said:
            self._scoring(document, said[SCORING])

    def finish(self) -> Rulebook:
        order = list(Pillar)
        against = self._against()
        rules = sorted(
            (replace(rule, against=tuple(sorted(against[rule.id]))) for rule in self.rules.values()),
            key=lambda r: (order.index(r.pillar), r.theme, r.id),
        )
        return Rulebook(
            tuple(rules),
            MappingProxyType(self.weights),
            self.least_coverage,
            self.digest.hexdigest()[:16],
            changed=MappingProxyType(self.changed),
        )

    def _against(self) -> Mapping[str, set[str]]:
        """By rule: those that pull the other way; what one says of another holds of both."""
        against: dict[str, set[str]] = defaultdict(set)
        known = self.rules | self.switched_off
        for (one, other), place in self.pulls.items():
            if other not in known:
                raise ConfigurationError(f"{place}: against: {unknown('rule', other, known)}")
            against[one].add(other)
            against[other].add(one)
        return against

    def _entries(self, document: yamlfile.Document) -> Iterable[tuple[Pillar, str, Any]]:
        pillars = [pillar.value for pillar in Pillar]
        for name, entries in document.data.items():
            if name == SCORING:
                self._scoring(document, entries)
            elif name not in pillars:
                raise document.error(unknown("pillar", str(name), [*pillars, SCORING]), name)
            elif not isinstance(entries or {}, dict):
                raise document.error(f"{name} holds rules by their names", name)
            else:
                for id_, raw in (entries or {}).items():
                    yield Pillar(name), str(id_), raw

    def _scoring(self, document: yamlfile.Document, raw: Any) -> None:
        scoring = document.convert(raw, _Scoring, SCORING)
        self.weights.update(scoring.pillar_weights)
        wrong = [weight for weight in self.weights.values() if weight < 0 or not math.isfinite(weight)]
        if wrong or not any(self.weights.values()):
            raise document.error("pillar_weights are 0 or more, and not all 0", SCORING, "pillar_weights")
        for pillar in scoring.pillar_weights:
            self.changed[f"pillar_weights.{pillar}"] = document.place(SCORING, "pillar_weights", pillar)
        if scoring.least_coverage is not None:
            if not 0 <= scoring.least_coverage <= 100:
                raise document.error("least_coverage is a percentage", SCORING, "least_coverage")
            self.least_coverage = scoring.least_coverage
            self.changed["least_coverage"] = document.place(SCORING, "least_coverage")

    def _override(self, document: yamlfile.Document, above: str, id_: str, raw: Any) -> None:
        """Changes the rule that the entry `id_` under the key `above`, a pillar or `rules`, speaks of."""
        known = self.switched_off | self.rules
        rule = known.get(id_)
        if rule is None:
            hint = "" if above == "rules" else " (a rule of your own needs an 'assert')"
            raise document.error(unknown("rule", id_, known) + hint, above, id_)
        if above not in ("rules", rule.pillar):
            raise document.error(f"rule {id_!r} belongs under {rule.pillar}", above, id_)
        override = document.convert(raw, _Override, above, id_)
        for name, value in override.params.items():
            _check_param(document, rule.params, name, value, above, id_)
        params = {**rule.params, **override.params}
        said = [["severity"]] if override.severity else []
        said += [["params", name] for name in override.params]
        places = {".".join(keys): document.place(above, id_, *keys) for keys in said}
        changed = replace(
            rule,
            severity=override.severity or rule.severity,
            params=MappingProxyType(params),
            function=_bind(rule.function, params) if params else rule.function,
            changed=MappingProxyType({**rule.changed, **places}),
        )
        if "enabled" in raw:
            self.changed.pop(f"rules.{id_}", None)
            self.switched_off.pop(id_, None)
            self.rules[id_] = changed
        if not override.enabled:
            self.changed[f"rules.{id_}"] = document.place(above, id_, "enabled")
            self.switched_off[id_] = self.rules.pop(id_)
        elif id_ in self.switched_off:
            self.switched_off[id_] = changed
        else:
            self.rules[id_] = changed

    def _add(
        self,
        document: yamlfile.Document,
        pillar: Pillar,
        id_: str,
        entry: _Entry,
        found: tuple[Callable[..., Verdict], str] | None,
        source: str,
    ) -> None:
        _check_practices(document, entry, pillar, id_)
        _check_fields(document, entry, pillar, id_)
        if found is not None:
            function, theme = found
            _check_signature(document, function, entry, pillar, id_)
            types = function.resource_types  # type: ignore[attr-defined]
            judge, looks_around = _bind(function, entry.params), _looks_around(function)
            judgement = inspect.getdoc(function) or ""
        elif entry.assert_:
            try:
                judge = expressions.judge(entry.assert_, entry.when, entry.title, entry.failure_title)
            except ValueError as error:
                raise document.error(str(error), pillar, id_, str(error).partition(":")[0]) from None
            types, theme, looks_around = (entry.resource_type,), entry.theme or "custom", False
            judgement = f"Passes where `{entry.assert_}` holds" + (
                f", judged where `{entry.when}`." if entry.when else "."
            )
        else:
            where = f"no function {id_.replace('-', '_')} in {pillar.replace('-', '_')}/<theme>.py"
            raise document.error(f"rule {id_!r} has no check: {where}, and no 'assert'", pillar, id_)
        for other in entry.against:
            self.pulls[id_, other] = document.place(pillar, id_, "against")
        if not entry.enabled:
            return
        self.rules[id_] = Rule(
            id=id_,
            pillar=pillar,
            theme=theme,
            severity=entry.severity,
            types=tuple(types),
            title=entry.title,
            failure_title=entry.failure_title,
            why=entry.why.strip(),
            fix=entry.fix.strip(),
            judgement=judgement,
            best_practices=tuple(entry.best_practices),
            analytics_lens=tuple(entry.analytics_lens),
            reads=tuple(entry.reads),
            params=MappingProxyType(entry.params),
            source=source,
            function=judge,
            looks_around=looks_around,
            estimates=tuple(entry.estimates),
        )


def _bind(function: Callable[..., Verdict], params: Mapping[str, Any]) -> Judge:
    """The check with these parameters.

    They become the defaults of its keywords: it is called a million times, and a `partial` makes a dictionary
    of them each time.
    """
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        return partial(function, **params)  # what stands before the check has no such keywords
    bound = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    bound.__kwdefaults__ = dict(params)
    return bound


def _looks_around(function: Callable[..., Verdict]) -> bool:
    """Whether a check takes the inventory beside its resource."""
    parameters = inspect.signature(function).parameters.values()
    return sum(parameter.kind is not parameter.KEYWORD_ONLY for parameter in parameters) == 2


def _check_signature(
    document: yamlfile.Document, function: Callable[..., Verdict], entry: _Entry, *place: str
) -> None:
    parameters = inspect.signature(function).parameters.values()
    takes = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    for name in entry.params:
        if name not in takes:
            raise document.error(unknown("parameter", name, sorted(takes)), *place, "params", name)
    if missing := takes - set(entry.params):
        raise document.error(f"params lacks {_names(missing)}, which the check takes", *place)
    if len(parameters) - len(takes) not in (1, 2):
        raise document.error("the check takes a resource, or a resource and the inventory", *place)


def _check_param(
    document: yamlfile.Document, known: Mapping[str, Any], name: str, value: Any, *place: str
) -> None:
    if name not in known:
        raise document.error(unknown("parameter", name, sorted(known)), *place, "params", name)
    if not _fits(value, known[name]):
        wanted = yamlfile.in_words(known[name])
        raise document.error(f"parameter {name!r} is {wanted}, as in {known[name]!r}", *place, "params", name)


def _fits(value: Any, default: Any) -> bool:
    """Whether a value is of the default's type, and a list's items of the type of the default's."""
    if isinstance(default, bool) or isinstance(value, bool):
        return type(value) is type(default)
    if isinstance(default, int | float):
        return isinstance(value, int | float) and math.isfinite(value)
    if isinstance(default, list):
        return isinstance(value, list) and all(_fits(item, default[0]) for item in value if default)
    return isinstance(value, type(default))


def _check_fields(document: yamlfile.Document, entry: _Entry, *place: str) -> None:
    """Some fields make sense only with an 'assert', others only without one."""
    if entry.assert_:
        if not entry.resource_type:
            raise document.error("a rule with an 'assert' names its 'resource_type'", *place)
        if entry.params:
            raise document.error("a rule with an 'assert' has no params", *place, "params")
        return
    for name in ("resource_type", "when", "theme"):
        if getattr(entry, name):
            raise document.error(f"{name!r} goes with an 'assert'; a check says it in Python", *place, name)


def _check_practices(document: yamlfile.Document, entry: _Entry, *place: str) -> None:
    for id_ in entry.best_practices:
        if id_ not in framework.best_practices():
            raise document.error(
                unknown("best practice", id_, framework.best_practices()), *place, "best_practices"
            )
    for id_ in entry.analytics_lens:
        if id_ not in framework.analytics_lens():
            raise document.error(
                unknown("lens practice", id_, framework.analytics_lens()), *place, "analytics_lens"
            )


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
