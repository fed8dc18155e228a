"""botocore, spared what it does anew for every client, connection and call although it never changes.

Everything here reaches into botocore, and nothing else of ours does. Each measure looks first whether
botocore's inside is as it expects, and leaves it alone where it is not: then a scan is slower, and no other.
Retries, credentials, signing, endpoint rules and parsing stay botocore's own. The figures are in
docs/performance.md.
"""

from __future__ import annotations

import copy
import datetime
import gzip
import re
import ssl
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from botocore import client as clients
from botocore import exceptions, hooks, httpsession, loaders, parsers, regions, useragent, utils


def tune_session(session: Any, operations: Mapping[str, Collection[str]]) -> None:
    """Has a boto3 session read botocore's models with msgspec, look for them once, know at a glance which
    events bear a service's old name, and read times with Python's own parser.

    Of the services in `operations` it knows these operations alone: `{"sqs": {"ListQueues"}}`.
    """
    loader = session._session.get_component("data_loader")
    own = type(loader) is loaders.Loader and type(loader.file_loader) is loaders.JSONFileLoader
    if own and hasattr(loader, "_potential_locations"):
        loader.__class__ = _Loader
        loader.file_loader = _Models(operations)
    events = session._session.get_component("event_emitter")
    aliases = getattr(hooks, "EVENT_ALIASES", None)
    if type(events) is hooks.EventAliaser and getattr(events, "_event_aliases", ()) == aliases:
        events.__class__ = _Events
        handlers = getattr(getattr(events, "_emitter", None), "_handlers", None)
        if type(handlers) is getattr(hooks, "_PrefixTrie", None) and {*vars(handlers)} == {"_root"}:
            handlers.__class__ = _Handlers
    answers = session._session.get_component("response_parser_factory")
    if type(answers) is parsers.ResponseParserFactory:
        answers.set_parser_defaults(timestamp_parser=_time)


def read_ahead(session: Any, services: Iterable[str]) -> None:
    """Has the files of services that clients will be made for read, on a thread of its own."""
    loader = session._session.get_component("data_loader")
    if type(loader) is _Loader:
        for service in services:
            loader.read_ahead(service)


def tune_client(client: Any) -> Any:
    """Has a client share the process's TLS context, spell its User-Agent once, and be ready for `in_region`.
    Gives it back."""
    names: Any = getattr(client, "_user_agent_creator", None)
    if type(names) is useragent.UserAgentString:
        names.to_string = cache(names.to_string)
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    if type(http) is httpsession.URLLib3Session:
        _share_tls(http)
    meta: Any = getattr(client, "meta", None)
    if type(meta) is clients.ClientMeta:
        # Before its first call: botocore looks up an event's handlers once and keeps what it found, so that
        # one that is added while another thread looks may never be heard.
        name = meta.service_model.service_id.hyphenize()
        handler = partial(_sign_for_region, meta.region_name)
        meta.events.register(f"before-parameter-build.{name}", handler, unique_id=_REGION_HANDLER)
    return client


_TURN = 0.02


@contextmanager
def seldom_switched() -> Iterator[None]:
    """Lets a thread work for 20 ms before another may interrupt it, where Python's default is 5.

    A call's own work takes two or three: what is interrupted in the midst of it does not come sooner, and the
    switches cost a twentieth of a scan.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(max(before, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


# -- events ----------------------------------------------------------------------------------------


class _Events(hooks.EventAliaser):  # type: ignore[misc]
    """Goes through botocore's old names of services for an event only where its name has a part of one."""

    def _alias_event_name(self, event_name: str) -> str:
        if _old_parts().isdisjoint(event_name.split(".")):
            return event_name
        found: str = super()._alias_event_name(event_name)
        return found


@cache
def _old_parts() -> frozenset[str]:
    return frozenset(old.partition(".")[0] for old in hooks.EVENT_ALIASES)


class _Handlers(getattr(hooks, "_PrefixTrie", object)):  # type: ignore[misc]
    """Who listens to an event. Each client gets a copy, of some four hundred nodes, which is made without
    asking of each value what it is."""

    def __copy__(self) -> _Handlers:
        copied = type(self)()
        copied._root = _copied(self._root)
        return copied


def _copied(node: Mapping[str, Any]) -> dict[str, Any]:
    values = node["values"]
    return {
        "chunk": node["chunk"],
        "children": {name: _copied(child) for name, child in node["children"].items()},
        "values": None if values is None else type(values)(*map(list, values)),
    }


# -- times -----------------------------------------------------------------------------------------

_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def _time(value: Any) -> datetime.datetime:
    """The moment that botocore finds in an answer's text or number, in UTC instead of the machine's zone,
    which has to be looked up, and without dateutil where the text has the usual form."""
    try:
        if isinstance(value, int | float):
            return datetime.datetime.fromtimestamp(value, datetime.UTC)
        if isinstance(value, str) and _ISO_8601.fullmatch(value):
            return datetime.datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        pass  # botocore has a way for what lies far from now, and words for what is no time
    found: datetime.datetime = utils.parse_timestamp(value)
    return found


# -- regions ---------------------------------------------------------------------------------------
# A client takes 10 ms and more to make, most of it for what is the same in every region.

_REGION = "AWS::Region"
_REGION_HANDLER = "wa-audit-region"
# As many hosts as there are regions; urllib3 keeps connections to ten.
_MOST_HOSTS = 64


def in_region(client: Any, region: str) -> Any | None:
    """The same client for another region of its partition, which shares all but the region with it: events,
    connections, models. None where botocore is not as expected. The client is one that was tuned.

    The rules say where the region's endpoint is, as they do for a client of its own.
    """
    resolver: Any = getattr(client, "_ruleset_resolver", None)
    meta: Any = getattr(client, "meta", None)
    if type(resolver) is not regions.EndpointRulesetResolver or type(meta) is not clients.ClientMeta:
        return None
    builtins = getattr(resolver, "_builtins", None)
    if not isinstance(builtins, dict) or builtins.get(_REGION) != meta.region_name:
        return None
    if (meta.service_model.service_name, region) == ("s3", "us-east-1"):
        return None  # there, and nowhere else, botocore takes the global endpoint
    rules = copy.copy(resolver)
    rules._builtins = {**builtins, _REGION: region}
    config = copy.copy(meta.config)
    config.region_name = region
    other = object.__new__(type(client))
    other.__dict__.update(
        client.__dict__,
        _ruleset_resolver=rules,
        _client_config=config,
        meta=clients.ClientMeta(
            meta.events,
            config,
            meta.endpoint_url,
            meta.service_model,
            meta.method_to_api_mapping,
            meta.partition,
        ),
    )
    hosts: Any = getattr(getattr(client._endpoint.http_session, "_manager", None), "pools", None)
    if hasattr(hosts, "_maxsize"):
        hosts._maxsize = _MOST_HOSTS
    return other


def _sign_for_region(own: str, context: dict[str, Any], **_: Any) -> None:
    """Has a call signed for the region of its client, where that is not the client's `own` that was made;
    what the rules say of it comes later, and counts."""
    if context["client_region"] != own:
        context.setdefault("signing", {"region": context["client_region"]})


# -- models ----------------------------------------------------------------------------------------

_NONE = msgspec.UNSET


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    """What a service's model holds; operations and shapes are texts that have yet to be read."""

    metadata: dict[str, Any]
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]
    version: str | msgspec.UnsetType = _NONE
    context: dict[str, Any] | msgspec.UnsetType = msgspec.field(default=_NONE, name="clientContextParams")
    # What is left out.
    documentation: msgspec.Raw | msgspec.UnsetType = _NONE
    examples: msgspec.Raw | msgspec.UnsetType = _NONE
    deprecated: msgspec.Raw | msgspec.UnsetType = _NONE
    deprecated_message: msgspec.Raw | msgspec.UnsetType = msgspec.field(
        default=_NONE, name="deprecatedMessage"
    )


_SHAPE = re.compile(rb'"shape"\s*:\s*"(\w+)"')
# What botocore itself may ask of a service in the course of another call: where a bucket is, and a session
# for a bucket of S3 Express.
_OF_BOTOCORE = {"s3": frozenset({"CreateSession", "HeadBucket"})}


class _Loader(loaders.Loader):  # type: ignore[misc]
    """Looks into each folder of models once. Botocore asks the disk some fifty times for a client; whoever
    asks lets another thread have the interpreter, and waits for it."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The folders of all services; whether there is a model of the type shows when it is opened."""
        return _services(tuple(self.search_paths))

    def list_api_versions(self, service_name: str, type_name: str) -> list[str]:
        versions = {
            version
            for folder in (Path(path, service_name) for path in self.search_paths)
            for version in _entries(folder)
            if self.file_loader.exists(str(folder / version / type_name))
        }
        if not versions:
            raise exceptions.DataNotFoundError(data_path=service_name)
        return sorted(versions)

    def _potential_locations(
        self, name: str | None = None, must_exist: bool = False, is_dir: bool = False
    ) -> Iterator[str]:
        if name is None or must_exist:
            yield from super()._potential_locations(name, must_exist, is_dir)
        else:
            yield from (str(Path(path, name)) for path in self.search_paths if _folders(Path(path)))

    def read_ahead(self, service: str) -> None:
        """Reads what it will take to make a client of a service and to page its lists."""
        with suppress(exceptions.DataNotFoundError):
            version = self.determine_latest_version(service, "service-2")
            for path in self.search_paths:
                for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
                    self.file_loader.read_ahead(Path(path, service, version, kind))


@cache
def _services(paths: tuple[str, ...]) -> list[str]:
    return sorted({*chain.from_iterable(_folders(Path(path)) for path in paths)})


@cache
def _folders(folder: Path) -> frozenset[str]:
    return frozenset(name for name in _entries(folder) if (folder / name).is_dir())


@cache
def _entries(folder: Path) -> frozenset[str]:
    """What a folder holds; nothing where it is none."""
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


_FORMS: Mapping[str, Callable[[bytes], bytes]] = {".json": bytes, ".json.gz": gzip.decompress}


class _Models(loaders.JSONFileLoader):  # type: ignore[misc]
    """Reads a model into plain dicts, which keep their order as well and take half the memory; of a service
    whose operations were named, these with their shapes, and no documentation."""

    def __init__(self, operations: Mapping[str, Collection[str]]) -> None:
        self._operations = operations
        self._read: dict[Path, bytes] = {}

    def exists(self, file_path: str) -> bool:
        return next(_files(Path(file_path)), None) is not None

    def read_ahead(self, path: Path) -> None:
        """Reads a file, if there is one, and keeps it until it is loaded."""
        for file in _files(path):
            self._read[file] = file.read_bytes()

    def load_file(self, file_path: str) -> Any:
        path = Path(file_path)
        for file in _files(path):
            read = self._read.pop(file, None)
            plain = _FORMS[file.name.removeprefix(path.name)]
            return self._decoded(path, plain(file.read_bytes() if read is None else read))
        return None

    def _decoded(self, path: Path, text: bytes) -> Any:
        service = path.parent.parent.name
        if path.name == "service-2" and service in self._operations:
            wanted = {*self._operations[service], *_OF_BOTOCORE.get(service, ())}
            with suppress(msgspec.DecodeError):  # a model of another form stays whole
                return _cut_down(msgspec.json.decode(text, type=_Model), wanted)
        return msgspec.json.decode(text)


def _files(path: Path) -> Iterator[Path]:
    """The files of a model, for the path without its ending."""
    return (path.with_name(path.name + form) for form in _FORMS if path.name + form in _entries(path.parent))


def _cut_down(model: _Model, wanted: Collection[str]) -> dict[str, Any]:
    """A service's model with no more than the operations that are wanted, and the shapes that they lead to.

    Nothing else of it is ever made into objects: EC2's takes 4 MB as text, and many times that as dicts.
    """
    operations = {name: raw for name, raw in model.operations.items() if name in wanted}
    found: set[str] = set()
    waiting = [name for raw in operations.values() for name in _shapes_of(raw)]
    while waiting:
        name = waiting.pop()
        if name not in found and name in model.shapes:
            found.add(name)
            waiting += _shapes_of(model.shapes[name])
    kept = {"version": model.version, "clientContextParams": model.context}
    return {
        "metadata": model.metadata,
        "operations": _objects(operations),
        "shapes": _objects({name: raw for name, raw in model.shapes.items() if name in found}),
        **{name: value for name, value in kept.items() if value is not _NONE},
    }


def _objects(parts: Mapping[str, msgspec.Raw]) -> Any:
    """Parts of a model as objects, all in one go."""
    text = b",".join(b'"%b":%b' % (name.encode(), bytes(raw)) for name, raw in parts.items())
    return _without_documentation(msgspec.json.decode(b"{" + text + b"}"))


def _without_documentation(value: Any) -> Any:
    """Without the texts that explain it; a member that is called so is no text."""
    if isinstance(value, dict):
        return {
            name: _without_documentation(child)
            for name, child in value.items()
            if name != "documentation" or not isinstance(child, str)
        }
    return [*map(_without_documentation, value)] if isinstance(value, list) else value


def _shapes_of(raw: msgspec.Raw) -> list[str]:
    """The names of the shapes that a part of a model refers to. Within a text its quotes would be escaped."""
    return [name.decode() for name in _SHAPE.findall(bytes(raw))]


# -- TLS -------------------------------------------------------------------------------------------
# urllib3 reads the CA bundle for every connection, 20 to 30 ms each:
# https://github.com/urllib3/urllib3/issues/3623

_contexts: dict[str, ssl.SSLContext] = {}
_lock = threading.Lock()


def _share_tls(http: Any) -> None:
    """Gives the connections of a session without proxy and certificate of its own the one context."""
    verify = getattr(http, "_verify", None)
    pools = getattr(getattr(http, "_manager", None), "connection_pool_kw", {})
    proxies = getattr(getattr(http, "_proxy_config", None), "_proxies", True)
    if not verify or proxies or pools.get("cert_file") or "ssl_context" not in pools:
        return
    pools["ssl_context"] = _context(str(httpsession.get_cert_path(verify)))
    http._setup_ssl_cert = _demand_certificate


def _context(bundle: str) -> ssl.SSLContext:
    with _lock:
        if bundle not in _contexts:
            context = httpsession.create_urllib3_context()
            path = Path(bundle)
            context.load_verify_locations(**{"capath" if path.is_dir() else "cafile": bundle})
            context.verify_mode = ssl.CERT_REQUIRED
            _contexts[bundle] = context
        return _contexts[bundle]


def _demand_certificate(conn: Any, url: str, verify: Any) -> None:
    """What botocore does before a call, but for naming the bundle, which the context holds already."""
    conn.cert_reqs = "CERT_REQUIRED" if url.lower().startswith("https") else "CERT_NONE"
    conn.ca_certs = None
