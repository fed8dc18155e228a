"""What an account is known to fail today, so that only what is new fails a build.

A baseline is a small JSON file made from an audit. It accepts nothing: its findings stay failures and weigh
on the score; gates alone look past them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from wa_audit.model import ConfigurationError, Status
from wa_audit.report.audit import Audit

FORMAT = "wa-audit-baseline"
VERSION = 1


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """`findings` are the failures' ids, each with its rule and resource for whoever reads the file."""

    format: str
    version: int
    account: str
    made: str
    findings: dict[str, str]


def of(audit: Audit) -> Baseline:
    """The baseline of an audit: its failures."""
    return Baseline(
        format=FORMAT,
        version=VERSION,
        account=audit.run.account,
        made=audit.run.finished,
        findings={f.id: f"{f.rule} {f.resource}" for f in audit.findings if f.status is Status.FAIL},
    )


def read(path: Path) -> Baseline:
    """Reads a baseline.

    Raises:
        ConfigurationError: the file cannot be read, or is no baseline.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Baseline)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not a baseline ({error}); 'wa-audit baseline' makes one") from None
    if found.format != FORMAT or found.version != VERSION:
        raise ConfigurationError(f"{path}: no baseline of version {VERSION}; 'wa-audit baseline' makes one")
    return found


def check_account(baseline: Baseline, path: Path, account: str) -> None:
    """Sees that the baseline, which was read from `path`, is of this account.

    Raises:
        ConfigurationError: it is another account's.
    """
    if baseline.account != account:
        raise ConfigurationError(f"{path}: the baseline of account {baseline.account}, and this is {account}")
