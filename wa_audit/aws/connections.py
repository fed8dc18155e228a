"""Which URLs of databases demand TLS, and which do not say."""

from __future__ import annotations

import re

# Parameters of JDBC and MongoDB URLs that make the driver refuse an unencrypted connection.
_TLS = re.compile(
    r"[?&;](?:sslmode=(?:require|required|verify[-_]\w+)|(?:ssl|tls|requiressl|usetls)=true"
    r"|encrypt=(?:true|strict|mandatory))(?![\w-])",
    re.IGNORECASE,
)
_NO_TLS = re.compile(r"[?&;](?:ssl|tls)=false(?!\w)", re.IGNORECASE)


def requires_tls(url: str | None) -> bool:
    """Whether a JDBC or MongoDB URL lets no unencrypted connection happen.

    `mongodb+srv:` turns TLS on by itself, and Oracle's `tcps` is TLS.
    """
    text = url or ""
    if text.lower().startswith("mongodb+srv:"):
        return not _NO_TLS.search(text)
    return (
        bool(_TLS.search(text))
        or "protocol=tcps" in text.lower().replace(" ", "")
        or "@tcps:" in text.lower()
    )
