"""What is shipped: the wheel's content, and that wheel, editable install and checkout are one program."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# One worker builds once for all of them.
pytestmark = pytest.mark.xdist_group("packaging")

JUNK = (
    "audit.json",
    "report.html",
    "inventory.jsonl",
    "build/lib/wa_audit/cli.py",
    "checks/__pycache__/x.cpython-311.pyc",
    "checks/security/__pycache__/encryption_at_rest.cpython-311.pyc",
    "report_templates/__pycache__/x.pyc",
    "wa_audit/__pycache__/cli.cpython-311.pyc",
    "wa_audit/dist/old.whl",
    ".venv/lib/python3.11/site-packages/checks/__init__.py",
)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    # Neither the tests' own path nor the checkout may lend a hand.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as git would give it, with what git ignores lying about in it."""
    made = tmp_path_factory.mktemp("packaging") / "tree"
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes((ROOT / name).read_bytes())
    for name in JUNK:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(b"")
    return made


@pytest.fixture(scope="module")
def built(tree: Path) -> Path:
    """The folder of the sdist, and of the wheel that was built from it."""
    out = tree.parent / "out"
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, tree, cwd=tree.parent)
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def elsewhere(tree: Path) -> Path:
    """A folder with a package `checks` that is not ours, and that must not be touched."""
    folder = tree.parent / "elsewhere"
    (folder / "checks").mkdir(parents=True)
    (folder / "checks" / "__init__.py").write_text("raise ImportError('a foreign package')")
    return folder


@pytest.fixture(scope="module")
def from_checkout(tree: Path, elsewhere: Path) -> str:
    return run(sys.executable, "-m", "wa_audit", "rules", "--json", cwd=elsewhere, PYTHONPATH=str(tree))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "wa_audit",
        f"{wheel.name.rsplit('-', 3)[0]}.dist-info",
    }
    sources = {
        "wa_audit/rules.yaml": ROOT / "rules.yaml",
        **{f"wa_audit/{path.relative_to(ROOT)}": path for path in sorted(ROOT.glob("checks/*/*.py"))},
        **{
            f"wa_audit/{path.relative_to(ROOT)}": path
            for path in sorted((ROOT / "report_templates").rglob("*"))
            if path.is_file() and path.suffix != ".pyc"
        },
        **{
            str(path.relative_to(ROOT)): path
            for path in sorted((ROOT / "wa_audit").rglob("*"))
            if path.is_file() and path.suffix != ".pyc"
        },
    }
    assert {name for name in names if name.startswith("wa_audit/")} == set(sources)
    assert all(zipfile.ZipFile(wheel).read(name) == path.read_bytes() for name, path in sources.items())


def test_nothing_that_git_ignores_is_shipped(wheel: Path, built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    assert not shipped & set(JUNK)
    assert {"Makefile", "README.md", "LICENSE", "tests/test_packaging.py", ".ci/run"} <= shipped
    names = [*zipfile.ZipFile(wheel).namelist(), *shipped]
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA")]
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "\nProvides-Extra: demo\n" in metadata
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert "wa_audit/py.typed" in archive.namelist()


def test_a_wheel_in_a_folder(wheel: Path, elsewhere: Path, from_checkout: str) -> None:
    """`pip install --target`, as for a Lambda function's package."""
    target = wheel.parent / "target"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run(*pip, "--target", target, wheel, cwd=elsewhere)
    # -S leaves site-packages out, where an editable install of ours may be; the libraries are named instead.
    path = os.pathsep.join([str(target), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    module = run(sys.executable, "-S", "-m", "wa_audit", "rules", "--json", cwd=elsewhere, PYTHONPATH=path)
    assert module == from_checkout
    where = run(
        sys.executable,
        "-S",
        "-c",
        "import wa_audit; print(wa_audit.__file__)",
        cwd=elsewhere,
        PYTHONPATH=path,
    )
    assert Path(where.strip()).is_relative_to(target)


def test_an_editable_install(tree: Path, elsewhere: Path, from_checkout: str) -> None:
    environment = tree.parent / "environment"
    venv.create(environment, symlinks=True)
    bin_ = environment / "bin"
    (site,) = environment.glob("lib/python*/site-packages")
    # The libraries of the environment that the tests run in, without its own wa-audit (.pth files of a
    # folder that a .pth file names are not read).
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    run(
        *(bin_ / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--ignore-installed", "--editable", tree),
        cwd=elsewhere,
    )
    assert run(bin_ / "wa-audit", "rules", "--json", cwd=elsewhere) == from_checkout
    assert run(bin_ / "python", "-m", "wa_audit", "rules", "--json", cwd=elsewhere) == from_checkout
