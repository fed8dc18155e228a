"""An answer in place of one from the network."""

from __future__ import annotations

import io
import json

from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from wa_audit.demo_account.account import Json


def answer(parsed: Json) -> tuple[AWSResponse, Json]:
    """What botocore's `before-call` takes in place of an answer."""
    raw = HTTPResponse(body=io.BytesIO(json.dumps(parsed).encode()), preload_content=False)
    return AWSResponse("", 200, {}, raw), {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200}}
