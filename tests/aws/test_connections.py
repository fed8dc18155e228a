"""URLs that demand TLS, and those that merely allow it."""

from __future__ import annotations

import pytest

from wa_audit.aws.connections import requires_tls


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("jdbc:postgresql://db/o?sslmode=require", True),
        ("jdbc:postgresql://db/o?user=x&sslmode=verify-full", True),
        ("jdbc:postgresql://db/o?sslmode=prefer", False),
        ("jdbc:mysql://db/o?sslMode=VERIFY_IDENTITY", True),
        ("jdbc:mysql://db/o?sslMode=PREFERRED", False),
        ("jdbc:mysql://db/o?useSSL=true&requireSSL=true", True),
        ("jdbc:mysql://db/o?useSSL=true", False),
        ("jdbc:sqlserver://db:1433;encrypt=true;trustServerCertificate=false", True),
        ("jdbc:sqlserver://db:1433;encrypt=strict", True),
        ("jdbc:sqlserver://db:1433;encrypt=false", False),
        ("jdbc:redshift://db:5439/o?ssl=true", True),
        ("jdbc:oracle:thin:@tcps://db:2484/o", True),
        ("jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL = tcps)(HOST=db)))", True),
        ("mongodb://db/o?tls=true", True),
        ("mongodb://db/o", False),
        ("mongodb+srv://db/o", True),
        ("mongodb+srv://db/o?tls=false", False),
        ("", False),
        (None, False),
    ],
)
def test_requires_tls(url: str | None, expected: bool) -> None:
    assert requires_tls(url) is expected
