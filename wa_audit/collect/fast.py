"""botocore, spared what it does anew for every client, connection and call although it never changes.

This and models.py reach into botocore, and nothing else of ours does. Each measure looks first whether
botocore's inside is as it expects, and leaves it alone where it is not: then a scan is slower, and no other.
Retries, credentials, signing, endpoint rules and parsing stay botocore's own. The figures are in
docs/performance.md.
"""

from __future__ import annotations

import copy
import datetime
import re
import ssl
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from botocore import client as clients
from botocore import hooks, httpsession, loaders, parsers, regions, useragent, utils

from wa_audit.collect import models


def tune_session(session: Any, operations: Mapping[str, Collection[str]]) -> None:
    """Has a boto3 session read botocore's models with msgspec, look for them once, know at a glance which
    events bear a service's old name, and read times with Python's own parser.

    Of the services in `operations` it knows these operations alone: `{"sqs": {"ListQueues"}}`.
    """
    loader = session._session.get_component("data_loader")
    own = type(loader) is loaders.Loader and type(loader.file_loader) is loaders.JSONFileLoader
    if own and hasattr(loader, "_potential_locations"):
        loader.__class__ = models.Loader
        loader.file_loader = models.Models(operations)
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
    """Reads the files of services that clients will be made for."""
    loader = session._session.get_component("data_loader")
    if type(loader) is models.Loader:
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
