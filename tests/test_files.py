"""Results are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wa_audit.files import check_writable, write_atomically
from wa_audit.model import OutputError
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
