"""botocore, spared what it does anew for every client, connection and call although it never changes.

Everything here reaches into botocore, and nothing else of ours does. Each measure looks first whether
botocore's inside is as it expects, and leaves it alone where it is not: then a scan is slower, and no other.
Retries, credentials, signing, endpoint rules and parsing stay botocore's own. The figures are in
docs/performance.md.
"""

from __future__ import annotations

import gzip
import ssl
import threading
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from botocore import httpsession, loaders, useragent


def tune_session(session: Any) -> None:
    """Has a boto3 session read botocore's models with msgspec."""
    loader = session._session.get_component("data_loader")
    if type(getattr(loader, "file_loader", None)) is loaders.JSONFileLoader:
        loader.file_loader = _Models()


def tune_client(client: Any) -> Any:
    """Has a client share the process's TLS context, and spell its User-Agent once. Gives it back."""
    names: Any = getattr(client, "_user_agent_creator", None)
    if type(names) is useragent.UserAgentString:
        names.to_string = cache(names.to_string)
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    if type(http) is httpsession.URLLib3Session:
        _share_tls(http)
    return client


class _Models(loaders.JSONFileLoader):  # type: ignore[misc]
    """Reads a model into plain dicts, which keep their order as well and take half the memory."""

    def load_file(self, file_path: str) -> Any:
        for suffix, plain in ((".json.gz", gzip.decompress), (".json", bytes)):
            path = Path(file_path + suffix)
            if path.is_file():
                return msgspec.json.decode(plain(path.read_bytes()))
        return super().load_file(file_path)


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
