"""What people see before, during and after a run: the policy, the forecast, the doctor, the progress."""

from __future__ import annotations

import datetime
import io
import json
from email.utils import format_datetime
from typing import Any

import boto3
import botocore.httpsession
import hcl2
import moto
import pytest
import yaml
from cfnlint.api import lint_all
from rich.console import Console

from tests.collect import answers
from tests.rules.cases import ACCOUNT, REGION
from tests.test_cli import KEYS, ONE_RULE, Call, call, complaint  # noqa: F401  (call is a fixture)
from wa_audit import console, rulebook
from wa_audit import inventory as inventories
from wa_audit.collect import collect as read
from wa_audit.collect import doctor, forecast, permissions, plan, policyforms
from wa_audit.collect.guard import SESSION_OPERATIONS
from wa_audit.collect.kinds import Call as Row
from wa_audit.collect.kinds import Kind, all_kinds, by_type
from wa_audit.collect.missing import uncollected
from wa_audit.collect.plan import Plan
from wa_audit.collect.session import AwsSession
from wa_audit.collect.units import Tally
from wa_audit.inventory import Inventory, Run
from wa_audit.model import CredentialsError, Gap, Reason, Unread
from wa_audit.report import unread

EVERYTHING: Plan = {kind.type: (kind, kind.details) for kind in all_kinds()}
BOOK = rulebook.load()
RULES = plan.plan(BOOK.rules, plan.tag_reads(BOOK.rules))
COST = "AWS::CE::CostAndUsage"


def only(*types: str) -> Plan:
    """Everything of these types but their metrics."""
    return plan.without_metrics({type_: EVERYTHING[type_] for type_ in types})


@pytest.fixture
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever botocore would send is a failure, credentials' own requests included."""

    def send(self: Any, request: Any) -> None:
        pytest.fail(f"called {request.url}")

    monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", send)


# -- the policy ------------------------------------------------------------------------------------


def many() -> frozenset[str]:
    """More operations than a managed policy holds."""
    return frozenset(
        f"{service}:Describe{'Something' * 3}{n}" for service in ("glue", "s3", "sqs") for n in range(90)
    )


def granted(policy: Any) -> set[str]:
    """Every action that a policy allows, and nothing but actions allowed on everything."""
    for statement in policy["Statement"]:
        assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def of_json(text: str) -> list[Any]:
    found = json.loads(text)
    return found if isinstance(found, list) else [found]


def of_cloudformation(text: str) -> list[Any]:
    resources = yaml.safe_load(text)["Resources"].values()
    return [r["Properties"]["PolicyDocument"] for r in resources if r["Type"] == "AWS::IAM::ManagedPolicy"]


def of_terraform(text: str) -> list[Any]:
    def plain(value: str) -> str:
        return value.strip('"')

    found = []
    for block in hcl2.loads(text)["data"]:
        ((_, named),) = block.items()
        ((_, document),) = named.items()
        found.append(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": plain(statement["sid"]),
                        "Effect": plain(statement["effect"]),
                        "Action": [plain(action) for action in statement["actions"]],
                        "Resource": "".join(plain(resource) for resource in statement["resources"]),
                    }
                    for statement in document["statement"]
                ],
            }
        )
    return found


READERS = {"json": of_json, "cloudformation": of_cloudformation, "terraform": of_terraform}


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize(
    "operations",
    [plan.operations(RULES), plan.operations(EVERYTHING), many(), frozenset({"sqs:ListQueues"}), frozenset()],
    ids=["the rulebook", "every kind", "too many for one", "one", "none"],
)
def test_what_is_granted_is_what_is_called(form: str, operations: frozenset[str]) -> None:
    """Both ways: every call is granted, and nothing else is; and IAM takes each policy."""
    assert set(policyforms.FORMS) == set(READERS)
    policies = permissions.policies(operations)
    found = READERS[form](policyforms.FORMS[form](policies))
    assert found == policies
    assert set().union(*map(granted, found)) == {
        name
        for operation in (operations | SESSION_OPERATIONS) - permissions.NOT_GRANTED
        for name in permissions.actions(operation)
    }
    for policy in found:
        assert len(json.dumps(policy, separators=(",", ":"))) <= permissions.MOST_CHARACTERS
    assert len(found) == (3 if operations == many() else 1)


def test_what_is_called_is_what_is_granted() -> None:
    """A reading calls every list of the plan, and nothing that the rulebook's policy does not grant."""
    called: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        called.add(f"{model.service_model.service_name}:{model.name}")

    def answer(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "sts:GetCallerIdentity":
            return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
        return answers.error("AccessDenied", 403)

    session = answers.session(answer)
    session.register("before-call", note)
    read(session, RULES, (REGION,))
    (policy,) = permissions.policies(plan.permitted(RULES))
    assert {permissions.action(operation) for operation in called - permissions.NOT_GRANTED} <= granted(
        policy
    )
    lists = {kind.operation(kind.list) for kind, _ in RULES.values() if not kind.parent}
    assert lists <= called


@pytest.mark.parametrize("operations", [plan.operations(RULES), many()], ids=["one policy", "three"])
def test_the_template_is_one_that_cloudformation_takes(operations: frozenset[str]) -> None:
    text = policyforms.as_cloudformation(permissions.policies(operations))
    # W3037 holds actions against a list of cfn-lint's own, which the invented ones are not on.
    found = [match for match in lint_all(text) if match.rule.id[0] in "EW" and match.rule.id != "W3037"]
    assert not found, found
    # Which moto does not look at.
    resources = yaml.safe_load(text)["Resources"]
    role = resources.pop("WaAuditRole")
    assert role["Properties"]["ManagedPolicyArns"] == [{"Ref": name} for name in resources]


@moto.mock_aws
@pytest.mark.parametrize("trusting", [False, True])
def test_the_template_makes_what_it_says(trusting: bool) -> None:
    given = {"AuditorAccount": "210987654321", "ExternalId": "horse-staple"} if trusting else {}
    session = boto3.session.Session(region_name=REGION)
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(
        StackName="auditor",
        TemplateBody=policyforms.as_cloudformation(permissions.policies(plan.operations(RULES))),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    iam = session.client("iam")
    assert len(iam.list_policies(Scope="Local")["Policies"]) == 1
    roles = iam.list_roles()["Roles"]
    assert len(roles) == trusting
    for role in roles:
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "horse-staple"}}


@pytest.mark.parametrize("form", READERS)
def test_the_command_prints_each_form(call: Call, form: str) -> None:  # noqa: F811
    done = call("iam-policy", *ONE_RULE, "--format", form)
    (policy,) = READERS[form](done.out)
    assert granted(policy) == {
        "ec2:DescribeRegions",
        "sqs:GetQueueAttributes",
        "sqs:ListQueueTags",
        "sqs:ListQueues",
        "tag:GetResources",
    }
    if form != "json":
        assert "sts:GetCallerIdentity, needs no permission" in done.out


def test_the_reports_format_is_not_the_policys(call: Call) -> None:  # noqa: F811
    assert call("iam-policy", *ONE_RULE, WA_AUDIT_FORMAT="html csv").out.startswith("{")
    done = call("iam-policy", *ONE_RULE, WA_AUDIT_POLICY_FORMAT="terraform")
    assert 'resource "aws_iam_policy" "wa_audit"' in done.out


# -- what costs money ------------------------------------------------------------------------------


def priced(made: Plan) -> set[str]:
    return {kind.operation(each) for kind, details in made.values() for each in details if each.price} | {
        kind.operation(kind.list) for kind, _ in made.values() if kind.list.price
    }


def test_cost_explorer_is_asked_for_by_name() -> None:
    assert not any(operation.startswith("ce:") for operation in priced(plan.affordable(EVERYTHING)))
    assert plan.affordable(EVERYTHING, cost=True, redshift_sql=True) == EVERYTHING
    assert priced(plan.affordable(EVERYTHING, paid_calls=False, cost=True)) == set()
    free = {
        type_
        for type_, (kind, _) in EVERYTHING.items()
        if not any(each.price or each.service == "redshift-data" for each in kind.calls)
    }
    without = plan.affordable(EVERYTHING)
    assert {type_: without[type_] for type_ in free} == {type_: EVERYTHING[type_] for type_ in free}


def test_what_hangs_on_a_paid_call_goes_with_it() -> None:
    paid = Row(operation="GetPrice", take="@", keep="Price", price=0.5)
    after = Row(operation="GetMore", args={"Price": "Price"}, take="@", keep="More")
    beside = Row(operation="GetOther", args={"Name": "Name"}, take="@", keep="Other")
    kind = Kind(
        "AWS::X::Y",
        service="x",
        list=Row(operation="List", take="Ys", keep="Name"),
        arn="",
        details=(paid, after, beside),
    )
    made: Plan = {kind.type: (kind, kind.details)}
    assert plan.affordable(made) == made
    assert plan.affordable(made, paid_calls=False) == {kind.type: (kind, (beside,))}
    assert plan.toll(kind, after) == "without --no-paid-calls (x:GetPrice costs 0.5 USD a request)"
    assert plan.toll(kind, beside) == ""


def test_what_was_switched_off_is_a_gap_that_says_so() -> None:
    session = answers.session(
        lambda operation, _: answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
    )
    inventory = read(session, plan.affordable(only(COST)), (REGION,))
    with pytest.raises(Unread) as raised:
        inventory.of(COST)
    assert raised.value.gap.reason is Reason.NOT_COLLECTED
    assert str(raised.value) == (
        "ce:GetCostAndUsage was not part of this collection; collect again with this rule selected, "
        "with --cost (ce:GetCostAndUsage costs 0.01 USD a request)"
    )


def test_what_costs_nothing_has_no_hint() -> None:
    free = [kind for kind in all_kinds() if not any(any(plan.provisos(kind, each)) for each in kind.calls)]
    assert len(free) > 50
    assert not [gap for gap in uncollected({}, tuple(free)) if gap.message]


def test_the_switches_exclude_each_other(call: Call) -> None:  # noqa: F811
    line = complaint(call("scan", "--cost", WA_AUDIT_NO_PAID_CALLS="1", **KEYS), 2)
    assert line == "--cost and --no-paid-calls exclude each other"


# -- the forecast ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_leaves")
@pytest.mark.parametrize("command", ["scan", "collect"])
@pytest.mark.parametrize("where", [["--region", "eu-west-1", "--region", "us-east-1"], ["--all-regions"], []])
def test_a_forecast_calls_nothing(call: Call, tmp_path: Any, command: str, where: list[str]) -> None:  # noqa: F811
    """No credentials are needed either, and nothing is written."""
    done = call(command, "--dry-run", *ONE_RULE, *where, AWS_REGION=REGION)
    assert (done.code, done.err) == (0, "")
    assert "sqs:GetQueueAttributes" in done.out
    assert done.out.endswith("\nNothing was called.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_forecast_names_every_operation_of_the_plan() -> None:
    text = forecast.text(EVERYTHING, EVERYTHING, [REGION], role=True)
    for operation in plan.permitted(EVERYTHING) | {"sts:GetCallerIdentity", "sts:AssumeRole"}:
        assert f"{operation}  " in text
        assert operation == "sts:GetCallerIdentity" or f" {permissions.action(operation)} " in text
    assert "ec2:DescribeRegions" in forecast.text(EVERYTHING, EVERYTHING, None)


def test_a_forecast_counts_the_lists_exactly() -> None:
    """As many as a reading of an empty account makes, but for those that hang on what is found: where all is
    refused these are read as well."""
    counted: list[str] = []

    def answer(operation: str, parameters: dict[str, Any]) -> Any:
        counted.append(operation)
        if operation == "sts:GetCallerIdentity":
            return answers.response(answers.IDENTITY, headers={"Content-Type": "text/xml"})
        return answers.error("AccessDenied", 403)

    regions = [REGION, "eu-central-1"]
    # A list of several calls ends with the first that is refused.
    made = {type_: entry for type_, entry in RULES.items() if not entry[0].list.each}
    read(answers.session(answer), made, regions)
    hanging = [kind for kind, _ in made.values() if plan.within(made, kind)]
    lists = len(counted) - counted.count("sts:GetCallerIdentity") - len(hanging) * len(regions)
    text = forecast.text(made, made, regions)
    assert f"Known before reading: {lists} list calls;" in text
    assert len(hanging) > 20
    for kind in hanging:
        above = " or ".join(" ".join(type_.split("::")[1:]) for type_ in kind.within.split())
        assert f"1 for each region with any {above}" in text


def test_a_forecast_names_the_prices() -> None:
    made = only(COST, "AWS::SQS::Queue")
    text = forecast.text(made, made, [REGION])
    assert "They cost 0.01 USD." in text
    assert (
        "Cost money; --no-paid-calls leaves them out:\n  ce:GetCostAndUsage  0.01 USD a request  1\n" in text
    )
    assert "  ce:GetCostAndUsage  0.01 USD a request  1 for each CE CostAndUsage\n" in text
    without = forecast.text(plan.affordable(made), made, [REGION])
    left_out = without.partition("Left out, as they cost money or run SQL, and were not asked for:\n")[2]
    assert left_out.startswith("  ce:GetCostAndUsage  0.01 USD a request")
    assert "They cost" not in without


@pytest.mark.usefixtures("nothing_leaves")
def test_a_forecast_is_as_strict_about_its_options(call: Call) -> None:  # noqa: F811
    for arguments, words in (
        (["--region", "eu-wst-1"], "did you mean 'eu-west-1'?"),
        ([], "no region: name one with --region"),
        (["--profile", "nobody"], "unknown AWS profile 'nobody'"),
    ):
        assert words in complaint(call("scan", "--dry-run", *ONE_RULE, *arguments), 2)


# -- the doctor ------------------------------------------------------------------------------------

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
QUEUES = only("AWS::SQS::Queue")


class Aws:
    """An account of one queue. `wrong` holds what is answered otherwise; `skew` is its clock's lead."""

    def __init__(self, skew: int = 0, **wrong: Any) -> None:
        self.skew = skew
        self.wrong = {name.replace("_", ":", 1): answer for name, answer in wrong.items()}
        self.calls: list[str] = []

    def __call__(self, operation: str, parameters: dict[str, Any]) -> Any:
        self.calls.append(operation)
        date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.skew)
        if operation in self.wrong:
            return self.wrong[operation]
        if operation == "sts:GetCallerIdentity":
            return answers.response(
                answers.IDENTITY, headers={"Content-Type": "text/xml", "Date": format_datetime(date)}
            )
        url = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
        return answers.response(
            {
                "sqs:ListQueues": {"QueueUrls": [f"{url}{n}" for n in range(50)]},
                "sqs:GetQueueAttributes": {"Attributes": {"VisibilityTimeout": "30"}},
                "sqs:ListQueueTags": {"Tags": {}},
                "resource-groups-tagging-api:GetResources": {"ResourceTagMappingList": []},
            }[operation]
        )


def examined(aws: Aws, made: Plan = QUEUES, **options: Any) -> list[doctor.Check]:
    return doctor.examine(
        made, connect=lambda: answers.session(aws), regions=[REGION], today=NOW.date(), **options
    )


def said(checks: list[doctor.Check], name: str) -> list[tuple[str, str]]:
    return [(check.level, check.message) for check in checks if check.name == name]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_a_healthy_account() -> None:
    aws = Aws()
    checks = examined(aws)
    assert {check.level for check in checks if check.name != "data"} == {"ok"}
    assert doctor.exit_code(checks) == 0
    assert said(checks, "credentials") == [("ok", "found in keys given by the caller")]
    assert said(checks, "identity") == [
        ("ok", "account 123456789012, arn:aws:iam::123456789012:user/auditor")
    ]
    assert said(checks, "region") == [("ok", "eu-west-1 is switched on")]
    assert said(checks, "permissions") == [
        ("ok", "sqs, tried in eu-west-1: 3 granted: GetQueueAttributes, ListQueueTags, ListQueues"),
        ("ok", "tag, tried in eu-west-1: 1 granted: GetResources"),
    ]
    # One resource of fifty is enough.
    assert sorted(aws.calls) == [
        "resource-groups-tagging-api:GetResources",
        "sqs:GetQueueAttributes",
        "sqs:ListQueueTags",
        "sqs:ListQueues",
        "sts:GetCallerIdentity",
    ]


def test_an_empty_account_is_not_said_to_grant_what_was_not_tried() -> None:
    checks = examined(Aws(sqs_ListQueues=answers.response({})))
    assert said(checks, "permissions") == [
        (
            "ok",
            "sqs, tried in eu-west-1: 1 granted: ListQueues; "
            "2 not tried, for want of a resource: GetQueueAttributes, ListQueueTags",
        ),
        ("ok", "tag, tried in eu-west-1: 1 not tried, for want of a resource: GetResources"),
    ]


def test_a_missing_permission() -> None:
    checks = examined(Aws(sqs_ListQueueTags=answers.error("AccessDenied", 403, "not you")))
    assert doctor.exit_code(checks) == 4
    assert said(checks, "permission") == [("failure", "sqs:ListQueueTags is missing: AccessDenied: not you")]
    ((_, granted), _) = said(checks, "permissions")
    assert granted.endswith("2 granted: GetQueueAttributes, ListQueues")


def test_what_would_only_have_helped_is_no_missing_permission() -> None:
    refused = answers.error("AccessDeniedException", 403, "not you")
    checks = examined(Aws(**{"resource-groups-tagging-api_GetResources": refused}))
    assert doctor.exit_code(checks) == 0
    ((level, words),) = said(checks, "permission")
    assert level == "warning"
    assert words.startswith("tag:GetResources is of no help: access denied")
    assert "GetResources" not in said(checks, "permissions")[0][1]


def test_a_call_that_fails_is_no_missing_permission() -> None:
    checks = examined(Aws(sqs_ListQueueTags=answers.error("InternalFailure", 500)))
    assert doctor.exit_code(checks) == 0
    ((level, words),) = said(checks, "permission")
    assert level == "warning"
    assert words.startswith("sqs:ListQueueTags could not be tried: failed: InternalFailure")


def test_expired_credentials() -> None:
    refusal = answers.response(
        b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>no</Message></Error></ErrorResponse>",
        403,
        {"Content-Type": "text/xml", "Date": format_datetime(NOW)},
    )
    checks = examined(Aws(sts_GetCallerIdentity=refusal))
    assert doctor.exit_code(checks) == 5
    ((level, words),) = said(checks, "identity")
    assert (level, "have expired" in words) == ("failure", True)
    # A clock that is off is why AWS takes good credentials for expired ones.
    assert said(checks, "clock") != []
    assert said(checks, "permissions") == []


def test_credentials_that_expire_while_the_permissions_are_tried() -> None:
    checks = examined(Aws(sqs_ListQueues=answers.error("ExpiredToken")))
    assert doctor.exit_code(checks) == 5
    assert ("failure", "expired while the permissions were tried") in said(checks, "credentials")


@pytest.mark.parametrize(
    ("skew", "level", "words"),
    [(0, "ok", ""), (200, "ok", "behind"), (400, "warning", "behind"), (-400, "warning", "ahead of")],
)
def test_the_clock(skew: int, level: str, words: str) -> None:
    ((found, message),) = said(examined(Aws(skew)), "clock")
    assert (found, words in message) == (level, True)


def test_a_region_that_is_switched_off() -> None:
    def answer(operation: str, parameters: dict[str, Any]) -> Any:
        if "ap-east-1" in parameters["url"]:
            return answers.response(
                b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>",
                403,
                {"Content-Type": "text/xml"},
            )
        return Aws()(operation, parameters)

    checks = doctor.examine(
        QUEUES, connect=lambda: answers.session(answer), regions=[REGION, "ap-east-1"], today=NOW.date()
    )
    assert [level for level, _ in said(checks, "region")] == ["ok", "failure"]
    assert doctor.exit_code(checks) == 2


def test_all_regions_need_their_permission() -> None:
    refusal = answers.response(
        b"<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
        403,
        {"Content-Type": "text/xml"},
    )
    checks = doctor.examine(
        QUEUES,
        connect=lambda: answers.session(Aws(ec2_DescribeRegions=refusal)),
        all_regions=True,
        today=NOW.date(),
    )
    ((level, words),) = said(checks, "regions")
    assert (level, "ec2:DescribeRegions" in words) == ("failure", True)
    assert doctor.exit_code(checks) == 4


def test_what_iam_actions_are_known_of_is_dated() -> None:
    checks = doctor.examine(QUEUES, connect=_no_session, today=datetime.date(2026, 5, 1))
    assert ("ok", "iam_actions.tsv is of April 2026") in said(checks, "data")
    assert ("ok", "iam_resource_types.tsv is of April 2026") in said(checks, "data")
    assert {level for level, _ in said(checks, "data")} == {"ok"}


def test_old_data_is_warned_of() -> None:
    checks = doctor.examine(QUEUES, connect=_no_session, today=datetime.date(2027, 12, 1))
    old = said(checks, "data")
    assert len(old) >= 6
    assert {level for level, _ in old} == {"warning"}
    assert ("warning", "lambda_runtimes.tsv is of October 2026, more than 6 months ago") in old


def _no_session() -> AwsSession:
    raise CredentialsError("no AWS credentials")


def test_the_worst_comes_first() -> None:
    def failure(code: int) -> doctor.Check:
        return doctor.Check("x", doctor.Level.FAILURE, "", code=code)

    assert doctor.exit_code([failure(4), failure(2), failure(5)]) == 5
    assert doctor.exit_code([failure(4), failure(2)]) == 2
    assert doctor.exit_code([failure(4), doctor.Check("y", doctor.Level.WARNING, "")]) == 4


@pytest.mark.usefixtures("nothing_leaves")
def test_the_command_without_credentials(call: Call) -> None:  # noqa: F811
    done = call("doctor", *ONE_RULE, AWS_REGION=REGION)
    assert (done.code, done.err) == (5, "")
    (line,) = [line for line in done.out.splitlines() if line.startswith("failure")]
    assert "no AWS credentials: name a profile with --profile" in line


@moto.mock_aws
def test_the_command_against_an_emulator(call: Call) -> None:  # noqa: F811
    done = call("doctor", *ONE_RULE, "--json", **KEYS)
    assert (done.code, done.err) == (0, "")
    checks = json.loads(done.out)
    assert [check["name"] for check in checks][:5] == [
        "credentials",
        "identity",
        "clock",
        "region",
        "permissions",
    ]
    assert checks[0]["message"] == "found in environment variables"
    assert {tuple(check) for check in checks} == {("name", "level", "message", "advice")}


def test_the_commands_help_names_its_exit_codes(call: Call) -> None:  # noqa: F811
    words = call("doctor", "--help").out
    assert "4    a permission is missing" in words
    assert "5    no credentials" in words


# -- progress --------------------------------------------------------------------------------------


def tally(queued: int, finished: int, **more: Any) -> Tally:
    return Tally(resources=7, calls=12, queued=queued, finished=finished, services={"s3", "sqs"}, **more)


def test_the_live_line() -> None:
    screen = Console(record=True, force_terminal=True, width=140, file=io.StringIO())
    times = iter([0.0, 1.0, 20.0])
    with console.progress(True, screen, lambda: next(times)) as on_wait:
        on_wait(tally(300, 3))
        on_wait(tally(300, 100, throttles=4))
        # The display draws ten times a second by itself; what it would draw now is seen here.
        screen.print("")
    seen = screen.export_text()
    assert "2 services · 7 resources · 12 calls · 4 throttled · about 40 s left" in seen


@pytest.mark.parametrize(
    ("queued", "finished", "elapsed", "left"),
    [
        (400, 100, 10.0, 30.0),
        (400, 100, 4.0, None),  # too early
        (60, 40, 10.0, None),  # too few
        (1000, 200, 10.0, None),  # too small a share
        (100, 100, 10.0, None),  # nothing left
        (0, 0, 10.0, None),
    ],
)
def test_the_time_left_is_hidden_until_it_means_something(
    queued: int, finished: int, elapsed: float, left: float | None
) -> None:
    found = tally(queued, finished)
    assert console.seconds_left(found, elapsed) == left
    assert ("left" in console.line(found, elapsed)) == (left is not None)


@pytest.mark.parametrize(("seconds", "words"), [(1, "5 s"), (52, "50 s"), (58, "1 min"), (200, "3 min")])
def test_the_time_left_is_no_more_exact_than_it_is(seconds: float, words: str) -> None:
    assert console._rounded(seconds) == words


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_when_there_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert console.wanted(False, _Terminal())
    assert not console.wanted(True, _Terminal())
    assert not console.wanted(False, io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.wanted(False, _Terminal())


def test_quiet_progress_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress(False) as on_wait:
        on_wait(tally(10, 1))
    assert capsys.readouterr() == ("", "")


# -- the last line ---------------------------------------------------------------------------------


def gap(operation: str, reason: Reason, *fields: str) -> Gap:
    return Gap(type="AWS::X::Y", operation=operation, action=operation, reason=reason, fields=fields)


def test_the_last_line_names_the_cure() -> None:
    gaps = [
        gap("sqs:ListQueues", Reason.ACCESS_DENIED),
        gap("kms:ListKeys", Reason.ACCESS_DENIED, "Keys"),
        gap("glue:GetJobs", Reason.THROTTLED),
        gap("ce:GetCostAndUsage", Reason.NOT_COLLECTED),
    ]
    assert unread.words(gaps) == (
        "refused: grant kms:ListKeys, sqs:ListQueues; failed: glue:GetJobs (throttled); "
        "not asked for: ce:GetCostAndUsage"
    )
    assert unread.words([]) == ""


def test_the_last_line_stays_a_line() -> None:
    gaps = [gap(f"sqs:List{n:02}", Reason.ACCESS_DENIED) for n in range(40)]
    assert unread.words(gaps).endswith("sqs:List11 and 28 more, or all of 'wa-audit iam-policy'")


def test_the_last_line_of_a_collection() -> None:
    run = Run(account=ACCOUNT, regions=(REGION,))
    left_out = gap("ce:GetCostAndUsage", Reason.NOT_COLLECTED)
    assert unread.of_inventory(Inventory(run, [], [left_out])) == ""
    refused = gap("sqs:ListQueues", Reason.ACCESS_DENIED)
    assert unread.of_inventory(Inventory(run, [], [left_out, refused])) == (
        "Could not be read: 1 list; refused: grant sqs:ListQueues"
    )


@moto.mock_aws
def test_a_collection_ends_with_it(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:  # noqa: F811
    done = call("collect", *ONE_RULE, **KEYS)
    assert (done.code, done.err) == (0, "")
    (line,) = done.out.splitlines()
    assert line.startswith("inventory.jsonl: 0 resources, ") or line.startswith(
        "inventory.jsonl: 1 resources"
    )
    inventory = inventories.read(tmp_path / "inventory.jsonl")
    assert by_type()["AWS::SQS::Queue"].type not in {gap.type for gap in inventory.gaps if not gap.fields}


# -- the session -----------------------------------------------------------------------------------


def test_a_client_that_was_there_before_hears_what_is_registered_later() -> None:
    """--all-regions makes an EC2 client before the reading counts calls and looks for cut-off answers."""
    session, heard = answers.session(Aws()), list[str]()
    session.guard.allow({"sqs:ListQueues"})
    session.client("sqs", REGION).list_queues()
    session.register("before-call", lambda model, **_: heard.append(model.name))
    session.client("sqs", REGION).list_queues()
    assert heard == ["ListQueues"]
