"""Results are written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report import sample
from tests.test_cli import Call, call, complaint  # noqa: F401  (one is a fixture)
from wa_audit.files import check_writable, write_atomically
from wa_audit.model import OutputError
from wa_audit.report import FORMATS
from wa_audit.report import audit as audits
from wa_audit.text import visible


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        write_atomically(tmp_path / "new" / "audit.json", [b"{}"])
    finally:
        os.umask(previous)
    assert (tmp_path / "new" / "audit.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_failure_midway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text("old")

    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_atomically(path, chunks())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("theirs")
    link = tmp_path / "audit.json"
    link.symlink_to(target)
    write_atomically(link, [b"ours"])
    assert target.read_text() == "theirs"
    assert not link.is_symlink()


@pytest.mark.parametrize("write", [lambda p: write_atomically(p / "x", [b""]), check_writable])
def test_a_file_in_the_way_is_one_line(tmp_path: Path, write: object) -> None:
    (tmp_path / "file").write_text("here first")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "file" / "folder")  # type: ignore[operator]
    assert (tmp_path / "file").read_text() == "here first"


# -- whatever is written, in whatever format -------------------------------------------------------


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    path = tmp_path / "audit.json"
    write_atomically(path, audits.render(sample.audit(findings=30)))
    return path


def _full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read_only(*_: Any, **__: Any) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize(
    ("broken", "by", "words"),
    [
        ("wa_audit.files.os.fsync", _full, "No space left on device"),
        ("wa_audit.files.tempfile.mkstemp", _read_only, "Read-only file system"),
    ],
    ids=["a full disk", "a read-only folder"],
)
def test_what_cannot_be_written_leaves_the_old_file(
    call: Call,  # noqa: F811
    audit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    broken: str,
    by: Any,
    words: str,
) -> None:
    old = tmp_path / "results" / FORMATS[name].file
    write_atomically(old, [b"a year's work"])
    monkeypatch.setattr(broken, by)
    line = complaint(call("report", audit, "--format", name, "-o", old.parent), 6)
    assert line == f"{old}: cannot be written: {words}"
    assert old.read_bytes() == b"a year's work"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_folder_that_vanishes_meanwhile_is_one_line(
    call: Call,  # noqa: F811
    audit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    results = tmp_path / "results"
    sync = os.fsync

    def vanish(descriptor: int) -> None:
        sync(descriptor)
        shutil.rmtree(results)

    monkeypatch.setattr("wa_audit.files.os.fsync", vanish)
    line = complaint(call("report", audit, "--format", name, "-o", results), 6)
    assert line == f"{results / FORMATS[name].file}: cannot be written: No such file or directory"
    assert not results.exists()


def test_a_current_folder_that_is_gone_is_one_line(audit: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os; os.rmdir({str(gone)!r}); from wa_audit.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "report", audit, "--format", "csv"],
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == "wa-audit: findings.csv: cannot be written: No such file or directory\n"


@pytest.mark.parametrize("arguments", [["--format", "jsonl"], ["--format", "csv", "--history", "past"]])
def test_a_limit_of_the_system_itself_leaves_nothing_half(
    audit: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """The kernel refuses what goes beyond the size that a file may have, as it does on a full disk."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000)); "
        "from wa_audit.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "report", audit, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.endswith("cannot be written: File too large")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["audit.json"]


# -- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode – fine", "plain ünïcode – fine"),
        ("\x1b]0;pwn\x07", "\\x1b]0;pwn\\x07"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\nbreak\u2028", "line\\x0abreak\\u2028"),
    ],
)
def test_nothing_invisible_reaches_a_reader(text: str, shown: str) -> None:
    assert visible(text) == shown
