"""Two independent emulations of AWS, over HTTP, filled with the real AWS CLI."""

from __future__ import annotations

import pytest

from tests.emulators import run


@pytest.mark.emulator
@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_an_emulated_account_is_judged_as_it_was_built(name: str) -> None:
    if name == "ministack" and not run.MINISTACK.exists():
        pytest.skip(f"{run.MINISTACK} is not there: 'make setup' installs it")
    assert run.run(name) == []
