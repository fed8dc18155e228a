"""Where the project's own files are, and how results are written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from wa_audit.model import OutputError

_PACKAGE = Path(__file__).resolve().parent
# An installed wheel holds them inside the package; a checkout or an editable install has them beside it.
_ROOT = _PACKAGE if (_PACKAGE / "rules.yaml").is_file() else _PACKAGE.parent

RULES = _ROOT / "rules.yaml"
CHECKS = _ROOT / "checks"
REPORT_TEMPLATES = _ROOT / "report_templates"


def check_writable(folder: Path) -> None:
    """Sees that files can be made in a folder, making it where it is not there.

    Raises:
        OutputError: they cannot; better known before a long run than after it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def check_replaceable(path: Path) -> None:
    """Sees that a file can be written at `path`. Raises OutputError as `check_writable` does."""
    if path.is_dir():
        raise OutputError(f"{path}: cannot be written: Is a directory")
    check_writable(path.parent)


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes `chunks` to a temporary file beside `path`, mode 0600, and renames it into place.

    What stood at `path` stays intact until the new file is whole on disk. A symbolic link at `path` is
    replaced, never followed.

    Raises:
        OutputError: the folder cannot be written, the disk is full, or the path is a folder.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
