"""`wa-audit org plan`: the accounts of an organization, or of a list, as far as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from wa_audit.cli import cli
from wa_audit.collect import session as sessions
from wa_audit.model import ConfigurationError, WaAuditError
from wa_audit.organization import planning, shards

MANAGEMENT = "123456789012"


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Root holds the management account and lone, Data lake, and Data/Production orders and 25 more."""
    for name, value in (("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"), ("DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        aws = boto3.session.Session().client("organizations")
        aws.create_organization(FeatureSet="ALL")
        root = aws.list_roots()["Roots"][0]["Id"]
        data = aws.create_organizational_unit(ParentId=root, Name="Data")["OrganizationalUnit"]["Id"]
        production = aws.create_organizational_unit(ParentId=data, Name="Production")
        inner = production["OrganizationalUnit"]["Id"]
        ids = {"root": root, "data": data, "production": inner}
        for name, unit in (("lone", root), ("lake", data), ("orders", inner), *_many(inner)):
            made = aws.create_account(AccountName=name, Email=f"{name}@example.com")
            ids[name] = made["CreateAccountStatus"]["AccountId"]
            if unit != root:
                aws.move_account(AccountId=ids[name], SourceParentId=root, DestinationParentId=unit)
        aws.tag_resource(ResourceId=ids["lake"], Tags=[{"Key": "data", "Value": "yes"}])
        yield ids


def _many(unit: str) -> list[tuple[str, str]]:
    """More accounts than stand on a page of AWS's answer."""
    return [(f"team-{number:02}", unit) for number in range(25)]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["org", "plan", *words])

    return run


def told(result: Result) -> str:
    """The one line that an error is."""
    error: Any = result.exception
    assert isinstance(error, WaAuditError), result.output
    assert "\n" not in str(error)
    return str(error)


def test_every_account_with_its_unit_and_role(
    organization: dict[str, str], plan: Callable[..., Result], tmp_path: Path
) -> None:
    done = plan("--external-id", "shared", "--region", "eu-west-1", "--region", "eu-central-1")
    assert done.exit_code == 0, done.output
    assert "29 of 29 accounts, 2 regions each; written to shards.json" in done.output
    found = {shard.account: shard for shard in shards.read(tmp_path / "shards.json")}
    orders = found[organization["orders"]]
    assert (orders.name, orders.unit) == ("orders", "Root/Data/Production")
    assert orders.regions == ("eu-central-1", "eu-west-1")
    assert orders.role_arn == f"arn:aws:iam::{orders.account}:role/wa-audit-reader"
    assert orders.external_id == "shared"
    own = found[MANAGEMENT]
    assert (own.unit, own.role_arn, own.external_id) == ("Root", "", "")
    assert sum(shard.unit == "Root/Data/Production" for shard in found.values()) == 26


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--include-unit", "Root/Data", "--exclude-unit", "{production}"], ["lake"]),
        (["--include-unit", "{data}", "--exclude-unit", "Root/Data/Production/"], ["lake"]),
        (["--account", "{orders}", "--account", "{lone}"], ["lone", "orders"]),
        (["--exclude-unit", "Root/Data", "--exclude-account", MANAGEMENT], ["lone"]),
        (["--account-tag", "data=yes"], ["lake"]),
    ],
)
def test_accounts_are_chosen(
    organization: dict[str, str],
    plan: Callable[..., Result],
    tmp_path: Path,
    words: list[str],
    names: list[str],
) -> None:
    done = plan(*(word.format(**organization) for word in words))
    assert done.exit_code == 0, done.output
    assert sorted(shard.name for shard in shards.read(tmp_path / "shards.json")) == names


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--include-unit", "Root/Date"], "--include-unit: no account stands in 'Root/Date'"),
        (["--exclude-unit", "Root/Dat"], "--exclude-unit: no account stands in 'Root/Dat'"),
        (["--account", "1"], "--account: there is no account '1'"),
        (["--exclude-account", "1"], "--exclude-account: there is no account '1'"),
        (["--account-tag", "data=no"], "of 29 accounts none is left to audit"),
    ],
)
def test_a_slip_of_the_pen_leaves_nobody_out(
    organization: dict[str, str], plan: Callable[..., Result], tmp_path: Path, words: list[str], sentence: str
) -> None:
    assert told(plan(*words)) == sentence
    assert not (tmp_path / "shards.json").exists()


def test_all_regions_are_those_that_every_account_has(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ec2:
        def describe_regions(self) -> dict[str, Any]:
            states = {
                "us-east-1": "opt-in-not-required",
                "af-south-1": "opted-in",
                "eu-west-1": "opt-in-not-required",
            }
            return {"Regions": [{"RegionName": name, "OptInStatus": state} for name, state in states.items()]}

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    session = sessions.connect(region="eu-west-1")
    monkeypatch.setattr(session, "client", lambda service, region: Ec2())
    assert session.enabled_regions("eu-west-1") == ["af-south-1", "eu-west-1", "us-east-1"]
    assert session.enabled_regions("eu-west-1", for_all=True) == ["eu-west-1", "us-east-1"]


def test_who_is_not_active_is_left_out_and_counted(
    organization: dict[str, str], plan: Callable[..., Result], tmp_path: Path
) -> None:
    boto3.session.Session().client("organizations").close_account(AccountId=organization["lone"])
    done = plan()
    assert done.exit_code == 0, done.output
    assert "1 accounts are not active, and left out" in done.output
    assert organization["lone"] not in {shard.account for shard in shards.read(tmp_path / "shards.json")}


def test_no_organization_is_said_with_what_would_help(
    plan: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"), ("DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        words = told(plan())
    assert "organizations:ListRoots in us-east-1" in words
    assert "or name the accounts with --accounts" in words


def test_a_list_of_accounts(
    organization: dict[str, str], plan: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text('# ours\n222222222222\n\n111111111111,"Lake, raw",Root/Data/\n')
    done = plan("--accounts", "accounts.csv", "--include-unit", "Root/Data")
    assert done.exit_code == 0, done.output
    (found,) = shards.read(tmp_path / "shards.json")
    assert (found.account, found.name, found.unit) == ("111111111111", "Lake, raw", "Root/Data")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"111111111111\n12\n", ":2: '12' is not ID or ID,NAME,UNIT, an ID being 12 digits"),
        (b"111111111111,a,b,c\n", ":1: '111111111111,a,b,c' is not ID or ID,NAME,UNIT"),
        (b"111111111111\n111111111111\n", ":2: account 111111111111 stands there twice"),
        (b"# nobody\n", ": names no account"),
        (b"\xff\xfe", ": is no text in UTF-8"),
    ],
)
def test_a_list_that_is_none_names_the_line(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "accounts.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        planning.listed(path)
    assert str(error.value).startswith(f"{path}{sentence}")


def test_a_list_has_no_tags(plan: Callable[..., Result], tmp_path: Path) -> None:
    done = plan("--accounts", "accounts.csv", "--account-tag", "a=b")
    assert done.exit_code == 2
    assert "exclude each other" in done.output
