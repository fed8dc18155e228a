"""AWS's own way of evaluating policies, by brute force: one request at a time, and every request there is.

Written from AWS's documentation and not from the engine, of which it shares no line: patterns are regular
expressions, conditions are compared with the values of a request, and a question about all requests is
answered by trying them. Slow, plain, and only as large as the universe that it is given.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Context = Mapping[str, str]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One request. `principal` is `(type, value)`; the context's keys are lower case."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principal: tuple[str, str] = ("AWS", "arn:aws:iam::123456789012:role/etl")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# -- patterns ----------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def glob(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether `*` and `?` make the pattern fit; `${*}`, `${?}` and `${$}` are plain characters."""
    pieces = re.split(r"(\$\{[*?$]\}|[*?])", pattern)
    expression = "".join(
        {"*": ".*", "?": "."}.get(piece) or re.escape(re.sub(r"^\$\{([*?$])\}$", r"\1", piece))
        for piece in pieces
    )
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def filled(text: str, context: Context) -> str | None:
    """The text with its variables replaced; None where one has no value, which voids the statement."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = found[1].partition(",")
        known = context.get(name.strip().lower(), default.strip().strip("'") if default else None)
        if known is None:
            missing = True
            return ""
        # What a variable holds is never a wildcard.
        return re.sub(r"[*?]", lambda wild: "${" + wild[0] + "}", known)

    done = re.sub(r"\$\{(?![*?$]\})([^}]*)\}", value, text)
    return None if missing else done


def resource_fits(pattern: str, resource: str, context: Context) -> bool | None:
    """Whether a Resource element fits; None where a variable in it has no value, which voids the statement.

    AWS completes an ARN of fewer than six parts with `*`, and lets a `*` that ends a part reach beyond it. It
    does not say which comes first, so that either will do.
    """
    ready = filled(pattern, context)
    if ready is None:
        return None
    return glob(ready, resource) or glob(ready + ":*" * (5 - ready.count(":")), resource)


# -- conditions --------------------------------------------------------------------------------------

NEGATED = {
    "stringnotequals",
    "stringnotequalsignorecase",
    "stringnotlike",
    "arnnotequals",
    "arnnotlike",
    "notipaddress",
}


def compare(operator: str, wanted: str, found: str) -> bool:
    """One value of the policy against one of the request, by a positive operator."""
    match operator:
        case "stringequals":
            return re.sub(r"\$\{([*?$])\}", r"\1", wanted) == found
        case "stringequalsignorecase":
            return wanted.lower() == found.lower()
        case "stringlike":
            return glob(wanted, found)
        case "arnequals" | "arnlike":
            # "Each of the six colon-delimited components of the ARN is checked separately."
            if wanted == "*":
                return True
            ours, theirs = wanted.split(":", 5), found.split(":", 5)
            return len(ours) == len(theirs) == 6 and all(map(glob, ours, theirs))
        case "bool":
            return wanted.lower() == found.lower()
        case "ipaddress":
            try:
                return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)
            except ValueError:
                return False
    raise ValueError(f"{operator} is no operator of this universe")


def condition_holds(operator: str, key: str, values: list[str], context: Context) -> bool:
    """One comparison of a Condition block against a request whose keys have one value each, or none."""
    quantifier, _, name = operator.lower().rpartition(":")
    found = context.get(key.lower())
    if name == "null":
        return any((found is None) == (str(value).lower() == "true") for value in values)
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if found is None:
        if quantifier:
            return quantifier == "forallvalues"
        return if_exists or name in NEGATED
    ready = [filled(str(value), context) for value in values]
    if None in ready:
        return False
    wanted = [value for value in ready if value is not None]
    if name in NEGATED:
        positive = name.replace("not", "", 1)
        return not any(compare(positive, value, found) for value in wanted)
    return any(compare(name, value, found) for value in wanted)


def conditions_hold(statement: Document, context: Context) -> bool:
    return all(
        condition_holds(operator, key, [_text(v) for v in listed(values)], context)
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- statements --------------------------------------------------------------------------------------


def speaks(statement: Document, request: Request) -> bool:
    """Whether a statement applies to a request, its principal aside."""
    negated = "NotAction" in statement
    actions = listed(statement["NotAction" if negated else "Action"])
    if any(glob(pattern, request.action, ignore_case=True) for pattern in actions) is negated:
        return False
    negated = "NotResource" in statement
    resources = listed(statement.get("NotResource" if negated else "Resource", "*"))
    fits = [resource_fits(pattern, request.resource, request.context) for pattern in resources]
    if None in fits:
        return False
    if any(fits) is negated:
        return False
    return conditions_hold(statement, request.context)


def names(statement: Document, principal: tuple[str, str]) -> bool:
    """Whether a statement of a resource's policy speaks of a principal."""
    negated = "NotPrincipal" in statement
    element = statement["NotPrincipal" if negated else "Principal"]
    pairs = (
        [(type_, value) for type_, values in element.items() for value in listed(values)]
        if isinstance(element, Mapping)
        else [("AWS", value) for value in listed(element)]
    )
    return any(_is(pair, principal) for pair in pairs) is not negated


def _is(named: tuple[str, str], principal: tuple[str, str]) -> bool:
    type_, value = named
    if value == "*":
        return True
    account = re.fullmatch(r"(?:arn:[\w-]+:iam::)?(\d{12}|[\d*?]+)(?::root)?", value)
    if account and principal[0] == "AWS":
        return glob(account[1], principal[1].split(":")[4])
    return type_ == principal[0] and glob(value, principal[1])


def statements(documents: Iterable[Document]) -> list[Document]:
    """All statements; in a version of the language that knows no variables, `$` is a plain character."""
    found = []
    for document in documents:
        own = listed(document.get("Statement", []))
        plain = document.get("Version") == "2012-10-17"
        found += own if plain else json.loads(json.dumps(own).replace("${", "${$}{"))
    return found


def allowed(documents: Iterable[Document], request: Request, boundary: Document | None = None) -> bool:
    """Whether an identity's policies, within its boundary, allow a request."""
    layers = [statements(documents)] + ([statements([boundary])] if boundary is not None else [])
    if any(s["Effect"] == "Deny" and speaks(s, request) for layer in layers for s in layer):
        return False
    return all(any(s["Effect"] == "Allow" and speaks(s, request) for s in layer) for layer in layers)


def lets_in(document: Document, request: Request) -> bool:
    """Whether a resource's policy alone allows a request to its principal."""
    mine = [s for s in statements([document]) if names(s, request.principal) and speaks(s, request)]
    return any(s["Effect"] == "Allow" for s in mine) and not any(s["Effect"] == "Deny" for s in mine)


# -- every request there is --------------------------------------------------------------------------

STRANGER, OWN = "999999999999", "123456789012"
ABSENT = None
# What no policy of these tests names: whoever has only this has been named by nobody.
STRANGE = {
    "aws:principalaccount": STRANGER,
    "aws:principalarn": f"arn:aws:iam::{STRANGER}:role/stranger",
    "aws:principalisawsservice": "false",
    "aws:principalorgid": "o-strangers0",
    "aws:principalorgpaths": "o-strangers0/r-zz99/ou-zz99-1/",
    "aws:sourceaccount": STRANGER,
    "aws:sourcearn": f"arn:aws:sns:eu-west-1:{STRANGER}:strange",
    "aws:sourceip": "198.51.100.77",
    "aws:sourceorgid": "o-strangers0",
    "aws:sourceowner": STRANGER,
    "aws:sourcevpc": "vpc-0strange",
    "aws:sourcevpce": "vpce-0strange",
    "aws:userid": "AROASTRANGESTRANGE99:strange",
    "kms:calleraccount": STRANGER,
}


def instances(pattern: str) -> Iterator[str]:
    """Some texts that a pattern stands for, one of them of the stranger's account."""
    for run, account in (("x9", STRANGER), ("", STRANGER), ("x9", OWN)):
        parts = re.sub(r"\$\{(?![*?$]\})[^}]*\}", "*", pattern).split(":", 5)
        if len(parts) == 6 and parts[0] == "arn" and glob(parts[4], account):
            parts[4] = account
        if len(parts) == 6 and parts[2] == "*":
            parts[2] = "sns"
        if len(parts) == 6 and parts[2] == "s3" and not parts[5].startswith("accesspoint"):
            parts[3:5] = ["", ""]  # the ARN of a bucket names neither
        pieces = re.split(r"(\$\{[*?$]\}|[*?])", ":".join(parts))
        yield "".join({"*": run, "?": "9"}.get(p, p[2] if p.startswith("${") else p) for p in pieces)


def values_of(key: str, documents: Iterable[Document]) -> list[str]:
    """What the documents compare a key with."""
    return sorted(
        {
            _text(value)
            for statement in statements(documents)
            for block in statement.get("Condition", {}).values()
            for own, values in block.items()
            if own.lower() == key
            for value in listed(values)
        }
    )


def keys_of(documents: Iterable[Document]) -> list[str]:
    """The condition keys that the documents ask for, in conditions and in variables."""
    documents = list(documents)
    text = repr(documents)
    variables = {name.strip().lower() for name in re.findall(r"\$\{(?![*?$]\})([^,}]*)", text)}
    blocks = (block for s in statements(documents) for block in s.get("Condition", {}).values())
    return sorted(variables | {key.lower() for block in blocks for key in block})


def contexts(
    documents: Iterable[Document], strange: frozenset[str] = frozenset(), present: Iterable[str] = ()
) -> Iterator[Context]:
    """Every combination of what the keys may hold. Those in `strange` hold nothing that the documents name,
    and those in `present` are never missing."""
    documents = list(documents)
    keys = keys_of(documents)
    choices = [
        [v for v in _choices(key, documents, strange) if v is not ABSENT or key not in present]
        for key in keys
    ]
    for combination in itertools.product(*choices):
        yield {key: value for key, value in zip(keys, combination, strict=True) if value is not ABSENT}


# Values that the tests' own resources are named after.
COMMON = ("ann", "data", "fresh9")


def _choices(key: str, documents: list[Document], strange: frozenset[str]) -> list[str | None]:
    named = values_of(key, documents)
    if named and all(value.lower() in ("true", "false") for value in named) and key not in strange:
        return [ABSENT, "true", "false"]
    if not any(key == own or (own.endswith(("/", ":")) and key.startswith(own)) for own in strange):
        made = {made for value in named for made in instances(value)}
        return [ABSENT, *COMMON, *sorted(made), *([STRANGE[key]] if key in STRANGE else [])]
    foreign = {
        made
        for value in named
        for made in instances(value)
        if made not in named and _is_foreign(key, value, made)
    }
    return [ABSENT, STRANGE.get(key, "fresh9"), *sorted(foreign)]


def _is_foreign(key: str, value: str, made: str) -> bool:
    """Whether a text that a pattern stands for is a stranger's to have."""
    if key == "aws:userid":
        return "*" in value.partition(":")[0]
    bucket = value.split(":", 5)[-1].partition("/")[0]
    # Whoever comes first has a bucket's name; whatever the pattern leaves open, a stranger may choose.
    return STRANGER in made or (made.startswith("arn:aws:s3:::") and re.search(r"[*?]", bucket) is not None)
