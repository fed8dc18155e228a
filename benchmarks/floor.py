"""The floor: the requests of a scan, sent by bare boto3 clients from a thread pool, and nothing else done.

    python -m benchmarks.floor record FILE ENDPOINT    writes down what a scan asks for
    python -m benchmarks.floor send FILE ENDPOINT      sends it again, as fast as boto3 can

It waits for no list before it describes, judges nothing and keeps nothing, so no scan on plain boto3 with
as many threads can be faster.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

REGION = "eu-west-1"
WORKERS = 32


def record(file: Path, endpoint: str) -> None:
    """Every request of a scan with the whole rulebook: service, operation, parameters and region."""
    from wa_audit import rulebook
    from wa_audit.collect import collect, plan
    from wa_audit.collect.session import connect

    asked: list[tuple[str, str, dict[str, Any], str]] = []

    def note(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        # Its one request goes to a host that bears the account's number, which bare boto3 cannot reach here.
        if model.service_model.service_name == "s3control":
            return
        asked.append((model.service_model.service_name, model.name, dict(params), context["client_region"]))

    session = connect(region=REGION, endpoint_url=endpoint, workers=WORKERS)
    session.register("provide-client-params", note)
    everything = plan.plan(rulebook.load().rules)
    collect(session, everything, [REGION], workers=WORKERS, metrics_days=0)
    file.write_text(json.dumps(sorted(asked, key=json.dumps)))


def send(file: Path, endpoint: str) -> None:
    """Sends every request once. botocore's defaults, but for as many connections as there are threads."""
    import boto3
    from botocore import xform_name
    from botocore.config import Config
    from botocore.exceptions import ClientError

    session = boto3.session.Session()
    clients: dict[tuple[str, str], Any] = {}
    lock = threading.Lock()
    config = Config(max_pool_connections=WORKERS)

    def ask(call: tuple[str, str, dict[str, Any], str]) -> None:
        service, operation, parameters, region = call
        with lock:
            if (service, region) not in clients:
                clients[service, region] = session.client(
                    service, region_name=region, endpoint_url=endpoint, config=config
                )
        # "Not configured" is an answer.
        with contextlib.suppress(ClientError):
            getattr(clients[service, region], xform_name(operation))(**parameters)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(ask, json.loads(file.read_text())))


if __name__ == "__main__":
    {"record": record, "send": send}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
