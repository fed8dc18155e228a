"""Builds the zips of the Lambda functions: the program and its dependencies for Lambda's machines.

    python -m tools.lambda_zip [--arch arm64|x86_64] [--python 3.13] [-o FOLDER] [lambda] [merge]

`lambda` audits; `merge` plans a run over an organization and puts it together, with DuckDB instead of Arrow
and pandas: both would not fit into one. Dependencies come from PyPI in the versions of the zip's requirements
in deploy/, as wheels for Lambda's Python and machine, whatever this one is. What the functions never open is
left out: tests, headers, Arrow's other file systems, and botocore's models of services that are not called.
Entries are sorted, with one date and mode, so that the same versions give the same bytes.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.13"
PLATFORMS = {
    "arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
}
MOST_ZIPPED, MOST_UNZIPPED = 60_000_000, 200_000_000
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say

# Paths that the function never opens.
_LEFT_OUT = re.compile(
    r"(^|/)(tests?|__pycache__|include|includes)/"
    r"|\.(pyc|pyi|pxd|pyx|h|hpp|cc|lib|a)$"
    r"|^bin/|^(boto3/examples|pygments|s3transfer/crt\.py)"
    r"|\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$"
    r"|^numpy/(f2py|doc|distutils)/"
    r"|^pyarrow/(src|libarrow_(flight|s3)\.|libarrow_python\.so(\.\d+\.\d+\.\d+)?$)"
    r"|^pyarrow/(_flight|_s3fs|_gcsfs|_azurefs|_hdfs|_orc|_substrait|_dataset\w*|_acero|_feather"
    r"|_parquet_encryption|_pyarrow_cpp_tests)\."
)


class Zip(NamedTuple):
    """A zip: its dependencies, and the operations that its functions call."""

    name: str
    requirements: str
    called: Callable[[], Iterable[str]]

    def services(self) -> frozenset[str]:
        """What the functions call, by botocore's names."""
        return frozenset(name.partition(":")[0] for name in self.called())


def _of_auditing() -> Iterator[str]:
    from wa_audit import publishing, stores
    from wa_audit.collect.guard import SESSION_OPERATIONS
    from wa_audit.collect.kinds import declared

    yield from (*publishing.WRITES, *stores.READS, *stores.WRITES, *SESSION_OPERATIONS)
    for kind, call in declared():
        yield from kind.operations(call)


def _of_merging() -> Iterator[str]:
    from wa_audit import stores
    from wa_audit.collect.guard import ORGANIZATION_OPERATIONS, SESSION_OPERATIONS

    yield from (*stores.READS, *stores.WRITES, *SESSION_OPERATIONS, *ORGANIZATION_OPERATIONS, "sns:Publish")


AUDIT = Zip("lambda", "requirements.txt", _of_auditing)
MERGE = Zip("merge", "requirements-merge.txt", _of_merging)
ZIPS = {each.name: each for each in (AUDIT, MERGE)}


def left_out(path: str, models: Mapping[str, str]) -> bool:
    """Whether a file of the installed packages is not needed, by its path with slashes. `models` are the
    services whose models are, each with its version."""
    if path.startswith("botocore/data/"):
        service, slash, file = path.removeprefix("botocore/data/").partition("/")
        return bool(slash) and (not file.startswith(models.get(service, "-") + "/") or "examples" in file)
    return bool(_LEFT_OUT.search(path))


def models(folder: Path, services: Iterable[str]) -> dict[str, str]:
    """The newest model of each service, `{"ec2": "2016-11-15"}`."""
    data = folder / "botocore" / "data"
    return {name: max(path.name for path in (data / name).iterdir()) for name in sorted(services)}


def install(made: Zip, folder: Path, arch: str, python: str = PYTHON) -> None:
    """Installs a zip's dependencies and the program into a folder."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(folder)]
    platforms = [word for name in PLATFORMS[arch] for word in ("--platform", name)]
    wheels = ["--python-version", python, "--implementation", "cp", "--only-binary=:all:", *platforms]
    _do([*pip, *wheels, "--requirement", str(ROOT / "deploy" / made.requirements)])
    with tempfile.TemporaryDirectory() as built:
        _do([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", built, str(ROOT)])
        (wheel,) = Path(built).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def _do(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words


def kept(made: Zip, folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that go into the zip, sorted by their names in it."""
    called = models(folder, made.services())
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(found.items()):
        if not left_out(name, called):
            yield name, path


def write(made: Zip, folder: Path, target: Path) -> tuple[int, int]:
    """Writes the zip; its size, and that of what is in it, in bytes."""
    whole = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in kept(made, folder):
            content = path.read_bytes()
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".so") or ".so." in name else 0o644) << 16
            archive.writestr(entry, content)
            whole += len(content)
    temporary.replace(target)
    return target.stat().st_size, whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--arch", choices=sorted(PLATFORMS), default="arm64")
    parser.add_argument("--python", default=PYTHON, help="the version of Lambda's runtime")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    parser.add_argument("zips", nargs="*", metavar="lambda|merge", help="which; both, where none is named")
    asked = parser.parse_args()
    if wrong := set(asked.zips) - set(ZIPS):
        parser.error(f"there is no zip {', '.join(sorted(wrong))}; there are {', '.join(ZIPS)}")
    for made in (ZIPS[name] for name in asked.zips or ZIPS):
        target = asked.output / f"wa-audit-{made.name}-{asked.arch}.zip"
        with tempfile.TemporaryDirectory() as folder:
            install(made, Path(folder), asked.arch, asked.python)
            zipped, whole = write(made, Path(folder), target)
        print(f"{target}: {zipped / 1e6:.1f} MB, {whole / 1e6:.1f} MB unzipped")
        if zipped > MOST_ZIPPED or whole > MOST_UNZIPPED:
            sys.exit(f"larger than {MOST_ZIPPED / 1e6:.0f} MB, or {MOST_UNZIPPED / 1e6:.0f} MB unzipped")


if __name__ == "__main__":
    main()
