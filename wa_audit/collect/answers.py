"""Whether an answer is what its operation's model says, where botocore's parsers do not care.

They take a JSON body that is cut off for an empty answer, a text for the list of its characters, a number
for a text, and text between XML tags for a list without items. Each of these would read as a fact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

_NUMBER: tuple[type, ...] = (int, float)
# What JSON has for each type of botocore's models. Numbers that are none, such as NaN, are sent as text.
_JSON: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "character": (str,),
    "blob": (str,),
    "timestamp": (*_NUMBER, str),
    "boolean": (bool,),
    "integer": _NUMBER,
    "long": _NUMBER,
    "float": (*_NUMBER, str),
    "double": (*_NUMBER, str),
}
_CONTAINERS = ("structure", "map", "list")


def fits(model: Any, body: bytes, parsed: Mapping[str, Any]) -> bool:
    """Whether a body is a whole answer of an operation, with everything of the type that it must have."""
    if not body:
        return False
    shape = model.output_shape
    if payload := shape.serialization.get("payload"):
        shape = shape.members[payload]
        parsed = parsed.get(payload) or {}
    if shape.type_name != "structure":
        return True
    if "json" in model.service_model.resolved_protocol:
        return _json_fits(shape, body)
    return _xml_fits(shape, body, parsed)


def _json_fits(shape: Any, body: bytes) -> bool:
    try:
        value = json.loads(body)
    except ValueError:
        return False
    return value is not None and _value_fits(shape, value)


def _value_fits(shape: Any, found: object) -> bool:
    """Whether a value is of its shape, all the way down. What the model does not know is not looked at."""
    form, types, inner = _form(shape)
    if found is None or form == "anything":
        return True
    # In Python a boolean is a number too.
    if isinstance(found, bool) or not isinstance(found, types):
        return form == "boolean" and isinstance(found, bool)
    value: Any = found
    match form:
        case "structure":
            return all(_value_fits(inner[name], child) for name, child in value.items() if name in inner)
        case "list":
            return all(_value_fits(inner, child) for child in value)
        case "map":
            return all(_value_fits(inner, child) for child in value.values())
    return True


def _form(shape: Any) -> tuple[str, tuple[type, ...], Any]:
    """What a shape demands: its form, the types that JSON has for it, and the shapes within.

    The shape keeps it: a cache would keep the shapes, and with them the models of every session.
    """
    found: tuple[str, tuple[type, ...], Any] | None = getattr(shape, _FORM, None)
    if found is None:
        found = _form_of(shape)
        setattr(shape, _FORM, found)
    return found


_FORM = "_wa_audit_form"


def _form_of(shape: Any) -> tuple[str, tuple[type, ...], Any]:
    name = shape.type_name
    if getattr(shape, "is_document_type", False) or name not in _JSON:
        return "anything", (object,), None
    inner: Any = None
    match name:
        case "structure":
            inner = {child.serialization.get("name", m): child for m, child in shape.members.items()}
        case "list":
            inner = shape.member
        case "map":
            inner = shape.value
    return name, _JSON[name], inner


def _xml_fits(shape: Any, body: bytes, parsed: Mapping[str, Any]) -> bool:
    """In XML all is text: what shows is text where there should be elements, and a page of another kind.

    Only where something came out empty is the body looked at again; botocore itself demands numbers and times
    where they are due.
    """
    if re.match(rb"\s*(?:<!doctype\s+html|<html)", body, re.IGNORECASE):
        return False
    named = {
        member.serialization.get("name", name): parsed.get(name)
        for name, member in shape.members.items()
        if member.type_name in _CONTAINERS
    }
    empty = {name for name, value in named.items() if _is_hollow(value)}
    if any(parsed.values()) and not any(f"<{name}>".encode() in body for name in empty):
        return True
    root = ElementTree.fromstring(body)  # noqa: S314 - botocore has parsed the same body
    within = [element for child in root for element in (child, *child) if _bare(element.tag) in empty]
    return not any(len(element) == 0 and (element.text or "").strip() for element in (root, *within))


def _is_hollow(value: Any) -> bool:
    """Empty, or a list with something empty in it."""
    return not value or (isinstance(value, list) and not all(value))


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
