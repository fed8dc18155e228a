"""Moto as a server, and before it what the demo account does not have and moto no operation for.

Both programs of a comparison read the same answers. Without these few, moto answers HTTP 500, and what hangs
on them, such as who uses a role, could not be judged.
"""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from wa_audit.demo_account.corrections import NOTHING

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# The services that put the operation into the path.
_PATHS = {
    r"/resources/?": "backup.ListProtectedResources",
    r"/v1/connectors": "kafkaconnect.ListConnectors",
    r"/accounts/\d+/data-sets": "quicksight.ListDataSets",
    r"/EncryptionConfig": "xray.GetEncryptionConfig",
}
_FORMS = {
    "DescribeDataShares": "<DataShares/>",
    "DescribeUsageLimits": "<UsageLimits/>",
}
_BY_NAME = {operation.partition(".")[2]: answer for operation, answer in NOTHING.items()}
# What the demo's account has, and moto no operation for: both programs are told that it is not there.
_BY_NAME |= {
    "ListDataQualityRulesets": {"Rulesets": []},
    "ListDataSets": {"DataSetSummaries": []},
    "ListNamespaces": {"namespaces": []},
    "ListSnapshotCopyConfigurations": {"snapshotCopyConfigurations": []},
    "ListUsageLimits": {"usageLimits": []},
    "ListWorkgroups": {"workgroups": []},
}


class Gateway:
    """A WSGI application that answers for `behind` what that one cannot."""

    def __init__(self, behind: Application) -> None:
        self._behind = behind

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target == "AWSGlue.GetResourcePolicies":
            found: tuple[str, bytes] | None = "application/json", self._catalog_policies(environ)
        else:
            found = answer(target, environ["PATH_INFO"], body)
        if found is None:
            return self._behind(environ, start_response)
        start_response("200 OK", [("Content-Type", found[0]), ("Content-Length", str(len(found[1])))])
        return [found[1]]

    def _catalog_policies(self, environ: dict[str, Any]) -> bytes:
        """Moto gives the one policy of a catalog, and no list of them."""
        single = {"HTTP_X_AMZ_TARGET": "AWSGlue.GetResourcePolicy", "CONTENT_LENGTH": "2"}
        told: list[str] = []
        answered = self._behind(
            environ | single | {"wsgi.input": io.BytesIO(b"{}")},
            lambda status, _headers, _error=None: told.append(status),
        )
        policy = json.loads(b"".join(answered))
        found = [{"PolicyInJson": policy["PolicyInJson"]}] if told[0].startswith("200") else []
        return json.dumps({"GetResourcePoliciesResponseList": found}).encode()


def answer(target: str, path: str, body: bytes) -> tuple[str, bytes] | None:
    """Type and body of the answer to a request, where moto has none."""
    name = target.rpartition(".")[2]
    for pattern, operation in _PATHS.items():
        if re.fullmatch(pattern, path):
            name = operation.partition(".")[2]
    if name in _BY_NAME:
        return "application/json", json.dumps(_BY_NAME[name]).encode()
    action = re.search(rb"(?:^|&)Action=(\w+)", body)
    inner = _FORMS.get(action[1].decode()) if action else None
    if action is None or inner is None:
        return None
    name = action[1].decode()
    return "text/xml", f"<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>".encode()


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """Serves on a free port of 127.0.0.1 until the block ends, and says where."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    # It tells of every request, and of what moto lacks, with a traceback.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
