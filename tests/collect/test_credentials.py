"""However a profile gets its credentials, the guard lets botocore get them."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from wa_audit.collect import session as sessions

CONFIG = """
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = Auditor
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = eu-west-1
[profile web]
role_arn = arn:aws:iam::123456789012:role/pod
web_identity_token_file = {folder}/token
[profile base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = example
[profile role]
role_arn = arn:aws:iam::123456789012:role/auditor
source_profile = base
"""
KEYS = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>"


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "token").write_text("token-of-a-pod")
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=5)
    token = {"accessToken": "a", "expiresAt": later.strftime("%Y-%m-%dT%H:%M:%SZ")}
    (cache / f"{hashlib.sha1(b'company').hexdigest()}.json").write_text(json.dumps(token))
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(cache))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


@pytest.mark.parametrize(
    ("profile", "asked"),
    [
        ("sso", ["GetRoleCredentials", "GetCallerIdentity"]),
        ("web", ["AssumeRoleWithWebIdentity", "GetCallerIdentity"]),
        ("role", ["AssumeRole", "GetCallerIdentity"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_profile_gets_its_credentials_behind_the_guard(profile: str, asked: list[str]) -> None:
    calls = []

    def answer(request: Any, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        calls.append(operation)
        if operation == "GetRoleCredentials":
            keys = {
                "accessKeyId": "A",
                "secretAccessKey": "S",
                "sessionToken": "T",
                "expiration": 4102444800000,
            }
            return AWSResponse(request.url, 200, {}, _Body(json.dumps({"roleCredentials": keys}).encode()))
        inner = f"<Credentials>{KEYS}<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        if operation == "GetCallerIdentity":
            inner = (
                "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:role/x</Arn><UserId>x</UserId>"
            )
        text = f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
        return AWSResponse(request.url, 200, {"Content-Type": "text/xml"}, _Body(text.encode()))

    session = sessions.connect(profile=profile, region="eu-west-1")
    session.register("before-send", answer)
    assert session.identity("eu-west-1").account == "123456789012"
    assert calls == asked
