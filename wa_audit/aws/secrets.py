"""What class of secret a value looks like, and how to keep secrets out of a text.

Environment variables, job arguments and connection properties never enter the inventory: the collector
keeps each key and the class that `classify` gives its value. Error texts and URLs are kept, scrubbed.

The classes: "empty", "arn", "reference" (the value names where a secret is kept), "literal" (plain text,
number, boolean) and the known shapes of secrets, all of which begin with "secret:". A literal under a
`sensitive_key` is a secret of no known shape.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
CLASSES = frozenset(
    {
        "empty",
        "arn",
        "reference",
        "literal",
        "secret:aws-access-key",
        "secret:private-key",
        "secret:password-in-url",
        "secret:token",
        "secret:high-entropy",
    }
)

_LEAST_ENTROPY = 4.0  # bits a character; hexadecimal text never exceeds it
_LEAST_LENGTH = 20
_LEAST_RANDOM = 16  # characters in one piece, words taken out

_ACCESS_KEY = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
_SECRET_ACCESS_KEY = re.compile(r"[A-Za-z0-9/+]{40}")
# A block whose end is cut off runs to the end of the text.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_ENCODED_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]+")  # "-----BEGIN " in base64
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}"
    r"|xox[a-z]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}"
    r"|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{16,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|sk-(?:ant|proj)-[\w-]{16,}|sk-[A-Za-z0-9]{32,}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{32,}|dapi[0-9a-f]{32}|hv[sb]\.[\w-]{24,}"
    r"|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dop_v1_[0-9a-f]{64}|ATATT3[\w=-]{20,}"
    # How session tokens of AWS STS begin.
    r"|(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=]{40,}"
    r")"
)
_WEBHOOK = re.compile(r"(hooks\.slack\.com/(?:services|workflows)/)[\w/]{20,}")
_BEARER = re.compile(r"\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{16,}")

# user:password@ of a URL. Digits up to a slash are a port, and an @ further on belongs to the path.
_USERINFO = re.compile(r"(://[^\s:@/?#\"'<>]*:)(?!\d{1,5}(?:[/?#\s\"',]|$))([^\s\"'<>]{1,400})(?=@)")
_ORACLE_USERINFO = re.compile(r"(jdbc:oracle:\w{1,8}:[^\s/@:]+/)([^\s@\"'<>]+)(?=@)")
_VALUE = r"(\"[^\"]*\"|'[^']*'|\{\{[^}]*\}\}|[^\s&;,\"'<>]+)"
_PASSWORD_PAIR = re.compile(r"((?:password|passwd|passphrase|pwd)\s*=\s*)" + _VALUE, re.IGNORECASE)
_TOKEN_PAIR = re.compile(
    r"((?:token|secret|api[_.-]?key|account[_.-]?key|shared[_.-]?access[_.-]?key|access[_.-]?key|"
    r"secret[_.-]?key|private[_.-]?key|signature|(?<![A-Za-z0-9])sig|x-amz-credential)\s*=\s*)" + _VALUE,
    re.IGNORECASE,
)
_JSON_PAIR = re.compile(
    r"([\"'][\w.-]*(?:password|passwd|passphrase|secret|token|api[_.-]?key|private[_.-]?key|access[_.-]?key)"
    r"[\"']\s*:\s*)(\"[^\"]*\"|'[^']*')",
    re.IGNORECASE,
)
# Without one of these in it, a text has none of the shapes above; almost no text has one.
_HINT = re.compile(
    r"AKIA|ASIA|PRIVATE KEY|LS0tLS1|eyJ|gh[opsur]_|github_pat_|glpat-|xox|xapp-|[sr]k_|whsec_|AIza|ya29\."
    r"|GOCSPX-|SG\.|sk-|npm_|pypi-|dapi|hv[sb]\.|shp|dop_v1_|ATATT3|IQoJb3|FwoGZX|FQoGZX|://|jdbc:|="
    r"|hooks\.slack|Bearer|Basic|[\"']\s*:"
)
_PLACEHOLDER = re.compile(r"\$?\{.*\}|\$\w+|<.*>|\*+|%s|%\(\w+\)s|x{3,}|\[redacted\]", re.IGNORECASE)

_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:")
_RESOLVE = re.compile(
    r"\{\{resolve:[^}]+\}\}|\$\{[^}]+\}|(?:ssm|secretsmanager|vault|aws-sm|aws-ssm)://?[\w./-]+",
    re.IGNORECASE,
)
_PATH = re.compile(r"/[\w.-]+(?:/[\w.-]+)*/?|[a-z][a-z0-9+.-]*://\S+")

_SENSITIVE = re.compile(
    r"password|passwd|passphrase|(?<![a-z])pwd(?![a-z])|secret(?!ar)|token(?!i[sz])"
    r"|api_?key|private_?key|access_?key"
)
# The value of such a key says where a secret is, or something about it, and is none itself.
_ABOUT = re.compile(
    r"arns?|names?|ids?|paths?|file|url|uri|endpoint|host|hostname|location|ref|reference|parameter|param|"
    r"prefix|suffix|alias|region|stage|namespace|table|bucket|queue|topic|field|column|header|type|format|"
    r"algorithm|version|policy|provider|manager|store|backend|engine|issuer|audience|scopes?|ttl|expiry|"
    r"expiration|expires|lifetime|days|hours|minutes|seconds|secs|ms|millis|length|size|count|limit|timeout|"
    r"interval|rotation|enabled|disabled|required"
)
_SWITCH = re.compile(r"use|enable|disable|require|has|is|max|min|num|skip|verify|allow")


def classify(key: str, value: object) -> str:
    """The class of a value that stands under a key, as the module's docstring lists them."""
    if isinstance(value, bool | int | float):
        return "literal"
    if not value:
        return "empty"
    text = (value if isinstance(value, str) else json.dumps(value, default=str)).strip()
    if not text:
        return "empty"
    if shape := _shape(text):
        return shape
    if "accesskey" in "".join(_words(key)) and _is_secret_access_key(text):
        return "secret:aws-access-key"
    if _ARN.match(text):
        return "arn"
    if _RESOLVE.search(text) or _is_path(text) or (_names_sensitive(key) and not sensitive_key(key)):
        return "reference"
    if sensitive_key(key) and _PATH.fullmatch(text):
        return "reference"
    if not _is_about(_words(key)) and _is_random(text):
        return "secret:high-entropy"
    return "literal"


@lru_cache(maxsize=4096)
def sensitive_key(key: str) -> bool:
    """Whether a key announces that its value is a secret.

    `DB_PASSWORD` and `apiKey` do; `DB_PASSWORD_ARN`, `TOKEN_TTL` and `MAX_TOKENS` do not.
    """
    words = _words(key)
    return _names_sensitive(key) and not _is_about(words) and not _SWITCH.fullmatch(words[0])


def classified(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Those entries of a map whose values were classified; settings of the service keep their values."""
    return {key: class_ for key, class_ in (values or {}).items() if class_ in CLASSES}


def exposed(classes: Mapping[str, str]) -> dict[str, str]:
    """The keys whose values are secrets in plain text, with their classes.

    A known shape of a secret is one under any key; a literal is one under a `sensitive_key`.
    """
    return {
        key: class_
        for key, class_ in sorted(classes.items())
        if class_.startswith("secret:") or (class_ == "literal" and sensitive_key(key))
    }


def scrub(text: str) -> str:
    """The text with everything in it that has the shape of a secret replaced by "[redacted]"."""
    if not _HINT.search(text):
        return text
    for pattern in (_PRIVATE_KEY, _ENCODED_PEM, _ACCESS_KEY, _TOKEN):
        text = pattern.sub(REDACTED, text)
    for pattern in (
        _USERINFO, _ORACLE_USERINFO, _PASSWORD_PAIR, _TOKEN_PAIR, _JSON_PAIR, _WEBHOOK, _BEARER
    ):  # fmt: skip
        text = pattern.sub(_redact, text)
    return text


def _redact(match: re.Match[str]) -> str:
    return match[1] + REDACTED


def _shape(text: str) -> str:
    """The known shape of a secret that a text has, or contains."""
    if _PRIVATE_KEY.search(text) or _is_encoded_private_key(text):
        return "secret:private-key"
    if _ACCESS_KEY.search(text):
        return "secret:aws-access-key"
    for pattern in (_USERINFO, _ORACLE_USERINFO, _PASSWORD_PAIR):
        if any(_is_given(match[2]) for match in pattern.finditer(text)):
            return "secret:password-in-url"
    if _TOKEN.search(text) or _WEBHOOK.search(text) or _BEARER.search(text):
        return "secret:token"
    if any(_is_given(match[2]) for match in _TOKEN_PAIR.finditer(text)):
        return "secret:token"
    return ""


def _is_given(value: str) -> bool:
    """Whether a value stands there itself, rather than a placeholder or a reference for it."""
    value = value.strip("\"'")
    return bool(value) and not _PLACEHOLDER.fullmatch(value) and not _ARN.match(value)


def _is_encoded_private_key(text: str) -> bool:
    found = _ENCODED_PEM.search(text)
    if not found:
        return False
    start = found[0][:80]
    try:
        return b"PRIVATE KEY" in base64.b64decode(start[: len(start) // 4 * 4], altchars=b"-_")
    except (binascii.Error, ValueError):
        return False


def _is_path(text: str) -> bool:
    """Whether a text is an absolute path, as SSM parameters have. Base64 may begin with a slash too."""
    return text.startswith("/") and bool(_PATH.fullmatch(text)) and not _is_random(text)


def _is_random(text: str) -> bool:
    """Whether a text looks drawn by chance: long, of high entropy, and made of neither words nor hex ids.

    Names that CloudFormation generates, host names and UUIDs also have a high entropy. What tells them
    apart is that each of their pieces is short once its words are taken out.
    """
    if len(text) < _LEAST_LENGTH or any(c.isspace() for c in text) or "://" in text or text[0] in "{[":
        return False
    if _entropy(text) <= _LEAST_ENTROPY:
        return False
    return _is_secret_access_key(text) or any(map(_is_random_piece, re.split(r"[-_.:,;=/]", text)))


def _is_secret_access_key(text: str) -> bool:
    """Whether a text has the form of an AWS secret access key, whose slashes make it look like a path."""
    return bool(_SECRET_ACCESS_KEY.fullmatch(text)) and _is_random_piece(text, least=28)


def _is_random_piece(piece: str, least: int = _LEAST_RANDOM) -> bool:
    rest = re.sub(r"[A-Z]?[a-z]{4,}", "", piece)
    classes = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    mixed = sum(any(is_of(c) for c in rest) for is_of in classes) >= 3
    return len(rest) >= least and mixed and not re.fullmatch(r"[0-9a-fA-F]+", rest)


def _entropy(text: str) -> float:
    """Shannon's entropy, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _names_sensitive(key: str) -> bool:
    joined = "_".join(_words(key)).replace("secretsmanager", "").replace("secrets_manager", "")
    return bool(_SENSITIVE.search(joined))


def _is_about(words: list[str]) -> bool:
    return bool(words) and bool(_ABOUT.fullmatch(words[-1]))


def _words(key: str) -> list[str]:
    """The words of a key: `--dbPassword`, `DB_PASSWORD` and `db.password` are all db, password."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key)
    return [word for word in re.split(r"[^A-Za-z0-9]+", spaced.lower()) if word]
