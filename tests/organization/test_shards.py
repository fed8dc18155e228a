"""shards.json: what one run over an organization reads."""

from pathlib import Path

import pytest

from wa_audit.model import ConfigurationError
from wa_audit.organization import shards
from wa_audit.organization.shards import Shard

RUN = "20261126T060000Z"


def shard(account: str, **more: object) -> Shard:
    return Shard(run=RUN, account=account, regions=("eu-west-1",), **more)  # type: ignore[arg-type]


def test_what_is_written_is_read_back_sorted(tmp_path: Path) -> None:
    there = [shard("222222222222", name="B", unit="Root/Data"), shard("111111111111", external_id="x")]
    shards.write(tmp_path / "shards.json", there)
    assert shards.read(tmp_path / "shards.json") == [there[1], there[0]]


def test_an_object_is_named_by_run_and_account() -> None:
    found = shard("111111111111")
    assert found.key == "shards/run=20261126T060000Z/account_id=111111111111/findings.parquet"
    assert found.planned == "2026-11-26T06:00:00Z"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"[]", "names no account"),
        (b"{}", "Expected `array`, got `object`"),
        (b"\xff", "is no list of shards"),
        (b'[{"run":"20261126T060000Z","account":"1","regions":["eu-west-1"]}]', "$[0].account"),
        (b'[{"run":"today","account":"111111111111","regions":["eu-west-1"]}]', "$[0].run"),
        (b'[{"run":"20261126T060000Z","account":"111111111111","regions":[]}]', "$[0].regions"),
        (b'[{"run":"20261126T060000Z","account":"111111111111","region":[]}]', "region"),
    ],
)
def test_what_is_no_list_of_shards_is_refused_in_one_line(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "shards.json"
    path.write_bytes(raw)
    with pytest.raises(ConfigurationError) as told:
        shards.read(path)
    assert str(told.value).startswith(f"{path}: ")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_an_account_stands_there_once_and_all_are_of_one_run() -> None:
    one = shard("111111111111")
    with pytest.raises(ConfigurationError, match="names account 111111111111 twice"):
        shards.parse(shards.render([one, one]), "shards.json")
    other = Shard(run="20261127T060000Z", account="222222222222", regions=("eu-west-1",))
    with pytest.raises(ConfigurationError, match="two runs, 20261126T060000Z and 20261127T060000Z"):
        shards.parse(shards.render([one, other]), "shards.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.json: cannot be read: No such file"):
        shards.read(tmp_path / "none.json")
