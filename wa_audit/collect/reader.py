"""Executes rows: one call becomes facts, or a gap that says why not."""

from __future__ import annotations

import base64
import datetime
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

import jmespath
import msgspec
from botocore import exceptions, xform_name

from wa_audit.aws import references, secrets, spark
from wa_audit.collect import answers, errors, waiting
from wa_audit.collect.errors import Malformed
from wa_audit.collect.kinds import Call, Kind
from wa_audit.collect.permissions import action, refused
from wa_audit.model import Gap, Reason, Resource

_MOST_PAGES = 10_000
# After this many pages, one that brings nothing new is counted; so many of them are no list, but a loop.
_PATIENCE = 50
_LONGEST = 300


class Gone(Exception):
    """The resource was listed and is no longer there."""


def items(client: Any, kind: Kind, context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a kind's list, as they are paged, cut down to what is kept.

    Raises:
        Exception: whatever the call raised; `gap` turns it into a value.
    """
    call = kind.list
    for page in _pages(client, call, context):
        found = _taken(call, page)
        if found is None:
            # Left out because it is empty; but what is there must be a list.
            if page.get(call.take.partition("[")[0]) is not None:
                raise Malformed(f"{call.operation} answered without a list")
            continue
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise Malformed(f"{call.operation} answered without a list")
        for item in found:
            yield _kept(call, item)


def fact(
    client: Any, call: Call, context: Mapping[str, Any], pause: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """The fields that a detail call fills, by name; without those that AWS says are not configured.

    `pause` waits for so many seconds where the call has to be made again.

    Raises:
        Gone: the resource is no longer there.
        Exception: whatever else the call raised.
    """
    found: Any = None
    try:
        for page in _pages(client, call, context, pause):
            part = _taken(call, page)
            found = [*found, *part] if isinstance(found, list) and isinstance(part, list) else part
    except Exception as error:
        if errors.means(error, call.absent):
            return {}
        if errors.means(error, call.gone):
            raise Gone(call.operation) from error
        raise
    if found is None:
        return {}
    if call.into:
        fact = _plain(found)
        if fact == {} and call.take.startswith("{") and not call.optional:
            raise Malformed(f"{call.operation} answered without its fields")
        return {call.into: fact}
    if not isinstance(found, dict):
        raise Malformed(f"{call.operation} answered without its fields")
    return _kept(call, found)


def applies(call: Call, context: Mapping[str, Any]) -> bool:
    """Whether a detail call is to be made on this resource."""
    return not call.when or bool(_compiled(call.when).search(context))


def unknowable(kind: Kind, call: Call, resource: Resource) -> Gap | None:
    """Why nobody knows whether and where to make a call: what it hangs on could not be read.

    Its facts are then as unknown as that.
    """
    if not resource.gaps:
        return None
    hangs_on = call.depends_on | ({kind.region} if call.metrics else set())
    for missing in resource.gaps:
        if hangs_on & set(missing.fields):
            return msgspec.structs.replace(missing, type=kind.type, fields=call.fields)
    return None


def gap(
    kind: Kind,
    call: Call,
    error: BaseException,
    *,
    region: str,
    arn: str = "",
    fields: tuple[str, ...] | None = None,
) -> Gap:
    """An error as a value: what is missing, why, and the IAM action that the call needs.

    `fields` are the call's own where nothing else is said; without any it is the list that is missing.
    """
    operation, words = kind.operation(call), _words(error)
    return Gap(
        type=kind.type,
        operation=operation,
        action=refused(operation, words),
        reason=errors.reason(error),
        region=region,
        arn=arn,
        fields=call.fields if fields is None else fields,
        message=_short(secrets.scrub(words)),
    )


def taken_pages(client: Any, call: Call, context: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """What a call takes of each page, as lists of structures.

    Raises:
        Exception: whatever the call raised; `gap` turns it into a value.
    """
    for page in _pages(client, call, context):
        found = _taken(call, page)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise Malformed(f"{call.operation} answered without a list")
        yield found


def _words(error: BaseException) -> str:
    code, text = errors.code(error), str(error).split("\n")[0]
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        text = str(response.get("Error", {}).get("Message", "")).split("\n")[0]
    return f"{code}: {text}"


def _short(text: str) -> str:
    """AWS says who asked at the beginning and which policy refused at the end: what is cut is between."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 131]} … {text[-128:]}"


# -- calling ---------------------------------------------------------------------------------------


def _pages(
    client: Any, call: Call, context: Mapping[str, Any], pause: Callable[[float], None] = time.sleep
) -> Iterator[dict[str, Any]]:
    """Every page of an operation. Stops, as malformed, where the pages do not end."""
    arguments = {name: _compiled(path).search(context) for name, path in call.args.items()}
    arguments = {name: value for name, value in arguments.items() if value is not None} | dict(call.params)
    for more in call.each or ({},):
        seen: set[int] = set()
        for number, page in enumerate(_pages_of(client, call, {**arguments, **more}, pause), start=1):
            if number > _PATIENCE:
                seen.add(hash(repr(_compiled(call.take or "@").search(page))))
            # A list that ends brings something new with almost every page.
            if number > _MOST_PAGES or number - len(seen) > 2 * _PATIENCE:
                raise Malformed(f"{call.operation} pages without end")
            _raise_failures(call, page)
            yield page
            if number == call.pages:
                break


def _pages_of(
    client: Any, call: Call, arguments: dict[str, Any], pause: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    method = xform_name(call.operation)
    if call.until:
        ask = partial(getattr(client, method), **arguments)
        return iter([waiting.until(partial(_is_done, call), ask, pause)])
    if call.token:
        return _pages_by_token(getattr(client, method), call, arguments)
    if client.can_paginate(method):
        return iter(client.get_paginator(method).paginate(**arguments))
    return iter([getattr(client, method)(**arguments)])


def _is_done(call: Call, page: dict[str, Any]) -> bool:
    """Whether a call need not be made again; what is malformed does not get better."""
    return _is_malformed(page) or bool(_compiled(call.until).search(page))


def _raise_failures(call: Call, page: dict[str, Any]) -> None:
    """The errors that an answer reports within itself, but for those that mean "not configured"."""
    for failure in (_compiled(call.failures).search(page) or ()) if call.failures else ():
        code, _, words = str(failure).partition(": ")
        error = exceptions.ClientError({"Error": {"Code": code, "Message": words}}, call.operation)
        if not errors.means(error, call.absent):
            raise error


def _pages_by_token(
    method: Callable[..., dict[str, Any]], call: Call, arguments: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Pages of an operation that botocore has no paginator for."""
    seen = set()
    while True:
        page = method(**arguments)
        yield page
        token = _compiled(call.next).search(page)
        if not token:
            return
        if token in seen:
            raise Malformed(f"{call.operation} repeats a page token")
        seen.add(token)
        arguments = {**arguments, call.token: token}


def note_malformed(http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
    """Marks an answer that is not what botocore took it for. Registered on botocore's `after-call`.

    A JSON body that is cut off, or no body at all, comes back as an answer without members and without an
    error; a text where a list is due comes back as the list of its characters, or as an empty list.
    """
    if http_response.status_code >= 300 or model.output_shape is None or model.http.get("method") == "HEAD":
        return
    if not answers.fits(model, (http_response.content or b"").strip(), parsed):
        parsed.setdefault("ResponseMetadata", {})["Malformed"] = True


def _is_malformed(page: dict[str, Any]) -> bool:
    return bool(page.get("ResponseMetadata", {}).get("Malformed"))


def _taken(call: Call, page: dict[str, Any]) -> Any:
    if _is_malformed(page):
        raise Malformed(f"{call.operation} answered with what is cut off, empty, or of a wrong type")
    found = _compiled(call.take or "@").search(page)
    if found is None and not call.optional:
        raise Malformed(f"{call.operation} answered without {call.take}")
    return found


# -- keeping ---------------------------------------------------------------------------------------


def _kept(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _plain(found[name]) for name in call.keep.split() if found.get(name) is not None}
    if not kept and not call.optional:
        raise Malformed(f"{call.operation} answered without its fields")
    for path in call.drop.split():
        *parents, name = path.split(".")
        for parent in _maps(parents, kept):
            parent.pop(name, None)
    return kept


def _plain(value: Any) -> Any:
    """JSON's own types: times as ISO 8601 in UTC, bytes as base64, nothing that is not configured."""
    if isinstance(value, dict):
        return {str(name): _plain(child) for name, child in value.items() if child is not None}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return aware.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def finish(kind: Kind, resource: Resource) -> None:
    """Parses what AWS sends as text, gives tags one shape, and takes secrets out. In place."""
    data = resource.data
    for field in kind.passing:
        data.pop(field, None)
    for field in data.keys() & {*kind.decode}:
        _decode(kind, resource, field, json.loads, "JSON")
    for field in data.keys() & {*kind.properties}:
        _decode(kind, resource, field, _properties, "a properties file in UTF-8")
    for field, path in kind.project.items():
        if field in data:
            data[field] = _compiled(path).search(data[field])
    if isinstance(data.get("Tags"), list):
        data["Tags"] = dict(_tag(tag) for tag in data["Tags"])
    for path in kind.submits:
        _keep_settings(path, data)
    if kind.secrets or kind.refers:
        data[references.FIELD] = _references(kind, data)
    for path, settings in kind.secrets.items():
        for values in _maps(path.split("."), data):
            _classify(values, settings, pair=path.endswith("[]"))
    for field, value in data.items():
        data[field] = _scrubbed(value) if field in kind.scrub else _shapeless(value)


def _keep_settings(path: str, data: dict[str, Any]) -> None:
    """Writes beside a list of words what it sets for the Spark job that it submits, if it does."""
    *above, last = path.split(".")
    for holder in _maps(above, data):
        words = holder.get(last)
        settings = spark.submitted(words) if isinstance(words, list) else None
        if settings is not None:
            holder[spark.FIELD] = settings


def _references(kind: Kind, data: dict[str, Any]) -> list[str]:
    """What the values that are about to be taken out refer to; takes out the words of `kind.refers`."""
    pairs = [
        (str(values.get("name", "")), values.get("value")) if path.endswith("[]") else pair
        for path in kind.secrets
        for values in _maps(path.split("."), data)
        for pair in values.items()
    ]
    for path in kind.refers:
        *above, last = path.split(".")
        for holder in _maps(above, data):
            found = holder.pop(last, None) or ()
            pairs += [(last, word) for word in ([found] if isinstance(found, str) else found)]
    return sorted({reference for key, value in pairs if (reference := references.of(key, value))})


def _classify(values: dict[str, Any], settings: frozenset[str], *, pair: bool) -> None:
    """Replaces the values of a map, or of one pair of `name` and `value`."""
    if pair:
        values["value"] = _classified(str(values.get("name", "")), values.get("value", ""), settings)
    else:
        values.update({name: _classified(name, value, settings) for name, value in values.items()})


def _classified(name: str, value: Any, settings: frozenset[str]) -> Any:
    return _scrubbed(value) if name in settings else secrets.classify(name, value)


def _decode(kind: Kind, resource: Resource, field: str, read: Callable[[str], Any], form: str) -> None:
    value = resource.data[field]
    try:
        if isinstance(value, list):
            resource.data[field] = [read(v) if isinstance(v, str) else v for v in value]
        elif isinstance(value, str) and value:
            resource.data[field] = read(value)
    except ValueError:
        del resource.data[field]
        call = next(call for call in kind.calls if field in call.fields)
        resource.gaps = (
            *resource.gaps,
            Gap(
                type=kind.type,
                operation=kind.operation(call),
                action=action(kind.operation(call)),
                reason=Reason.MALFORMED,
                region=resource.region,
                arn=resource.arn,
                fields=(field,),
                message=f"{field} is not {form}",
            ),
        )


def _properties(encoded: str) -> dict[str, str]:
    """What a Java properties file sets, from the base64 that `_plain` makes of bytes.

    Without the format's escapes, which no broker setting needs. Raises ValueError where it is not UTF-8.
    """
    lines = base64.b64decode(encoded, validate=True).decode().replace("\\\n", "").splitlines()
    pairs = (re.split(r"\s*[=:\s]\s*", line.strip(), maxsplit=1) for line in lines)
    return {name: "".join(rest) for name, *rest in pairs if name and not name.startswith(("#", "!"))}


def _tag(tag: dict[str, Any]) -> tuple[str, str]:
    """`{Key, Value}`, `{key, value}` and `{TagKey, TagValue}` as one pair."""
    small = {name.lower().removeprefix("tag"): value for name, value in tag.items()}
    return str(small.get("key", "")), str(small.get("value") or "")


def _maps(path: list[str], value: Any) -> Iterator[dict[str, Any]]:
    """The maps that a path such as `Actions[].Arguments` leads to."""
    if not path:
        if isinstance(value, dict):
            yield value
        return
    name, rest = path[0].removesuffix("[]"), path[1:]
    child = value.get(name) if isinstance(value, dict) else None
    for found in child if path[0].endswith("[]") and isinstance(child, list) else [child]:
        yield from _maps(rest, found)


def _shapeless(value: Any) -> Any:
    """Without what has the shape of a secret, wherever it stands: people write secrets into tags, too."""
    if isinstance(value, str):
        return secrets.scrub(value)
    if isinstance(value, dict):
        return {name: _shapeless(child) for name, child in value.items()}
    return [_shapeless(child) for child in value] if isinstance(value, list) else value


def _scrubbed(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _scrubbed(child, name) for name, child in value.items()}
    if isinstance(value, list):
        return [_scrubbed(child, key) for child in value]
    if isinstance(value, str):
        telling = secrets.sensitive_key(key) and secrets.classify(key, value) not in (
            "arn",
            "reference",
            "empty",
        )
        return secrets.REDACTED if telling else secrets.scrub(value)
    return value


@cache
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)
