"""Runs every rule's cases, and demands of every rule what no rule author should have to remember."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest

from tests.rules import cases
from wa_audit import rulebook
from wa_audit.assess import judge
from wa_audit.collect import plan
from wa_audit.collect.kinds import by_type
from wa_audit.inventory import Inventory
from wa_audit.model import Gap, Pillar, Reason, Resource, Status
from wa_audit.relations import relate
from wa_audit.rulebook import Rule

BOOK = rulebook.load()
RULES = {rule.id: rule for rule in BOOK.rules}


def _path(rule: Rule) -> Any:
    return cases.FOLDER / rule.pillar / f"{rule.id}.yaml"


def _cases() -> list[Any]:
    return [
        pytest.param(rule, case, id=f"{rule.id}: {case['name']}")
        for rule in BOOK.rules
        if _path(rule).exists()
        for case in cases.load(_path(rule))
    ]


def _configured(rule: Rule, case: dict[str, Any]) -> Rule:
    if not case.get("params"):
        return rule
    params = {**rule.params, **case["params"]}
    assert set(params) == set(rule.params), f"unknown parameter in {case['params']}"
    return rulebook.replace(rule, params=params, function=rulebook._bind(rule.function, params))


def _type(rule: Rule, case: dict[str, Any]) -> str:
    return str(case.get("resource", {}).get("type", rule.types[0]))


@pytest.mark.parametrize(("rule", "case"), _cases())
def test_case(rule: Rule, case: dict[str, Any]) -> None:
    resource, inventory = cases.build(copy.deepcopy(case), _type(rule, case))
    verdict = judge(_configured(rule, case), resource, relate(inventory))
    assert verdict.status == case["status"], verdict.message
    assert case.get("message", "") in verdict.message
    if "severity" in case:
        assert verdict.severity == case["severity"]
    for name, value in case.get("evidence", {}).items():
        assert verdict.evidence.get(name) == value
    if verdict.gap and case.get("unread"):
        assert verdict.gap.operation in case["unread"]
    if "waste" in case:
        assert verdict.waste is not None
        assert verdict.waste.confidence == case["waste"]["confidence"]
        uses = {use.price: round(use.units, 3) for use in verdict.waste.uses}
        assert uses == case["waste"].get("uses", {})
    if "saves" in case:
        assert verdict.carbon is not None
        assert verdict.carbon.percent == case["saves"]
    if verdict.status is Status.FAIL and rule.pillar is Pillar.COST_OPTIMIZATION:
        assert verdict.waste is not None, "says neither what it wastes nor why that is not known"


@pytest.mark.parametrize(("rule", "case"), _cases())
def test_what_the_rule_says_it_reads_is_all_that_it_needs(rule: Rule, case: dict[str, Any]) -> None:
    """An inventory collected for this rule alone gives the same verdict."""
    if case.get("unread"):
        return
    needed = plan.plan([rule])
    resource, inventory = cases.build(copy.deepcopy(case), _type(rule, case))
    gaps = []
    for type_, kind in by_type().items():
        if type_ not in needed:
            gaps.append(_uncollected(type_, kind.operation(kind.list), ()))
            continue
        for call in kind.details:
            if call not in needed[type_][1]:
                gaps.append(_uncollected(type_, kind.operation(call), call.fields))
                for found in inventory.known(type_):
                    for field in call.fields:
                        if field not in kind.list.fields:
                            found.data.pop(field, None)
    kept = [found for found in inventory if found.type in needed or found.type == "AWS::::Account"]
    verdict = judge(_configured(rule, case), resource, relate(Inventory(inventory.run, kept, gaps)))
    assert verdict.status == case["status"], verdict.message


@pytest.mark.parametrize(("rule", "case"), _cases())
def test_a_refused_call_never_turns_a_verdict(rule: Rule, case: dict[str, Any]) -> None:
    """Whatever single call is refused, a verdict stays or becomes not evaluated; it never turns round."""
    if case["status"] not in (Status.PASS, Status.FAIL, Status.NOT_APPLICABLE) or case.get("unread"):
        return
    for operation in sorted(plan.operations(plan.plan([rule]))):
        broken = {**copy.deepcopy(case), "unread": [operation]}
        resource, inventory = cases.build(broken, _type(rule, case))
        verdict = judge(_configured(rule, case), resource, relate(inventory))
        allowed = {case["status"], Status.NOT_EVALUATED}
        # Without the fact that exempts, or that decides, nothing else may be claimed.
        assert verdict.status in allowed, f"{operation} refused: {verdict.status}: {verdict.message}"
        if verdict.status == Status.NOT_EVALUATED and case["status"] != Status.NOT_EVALUATED:
            assert verdict.gap is not None, verdict.message
            assert verdict.gap.operation == operation


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_cases_show_every_outcome(rule: Rule) -> None:
    """Every rule is seen to pass, to fail, and to be not evaluated when its reading was refused."""
    assert _path(rule).exists(), f"no cases: write {_path(rule)}"
    seen = {case["status"] for case in cases.load(_path(rule))}
    wanted = {"pass", "fail", "not_evaluated"}
    if "not_applicable(" in inspect.getsource(rule.function):
        wanted.add("not_applicable")
    assert wanted <= seen, f"lacks a case that ends in {sorted(wanted - seen)}"


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_every_declared_reading_matters(rule: Rule) -> None:
    """Refusing a declared reading leaves at least one case not evaluated: nothing is asked for in vain."""
    idle = []
    for read in rule.reads:
        relation = ":" not in read
        alone = rulebook.replace(rule, reads=(read,))
        operations = plan.operations(plan.plan([alone])) if relation else frozenset({read})
        if not any(_touched(rule, case, operations) for case in cases.load(_path(rule))):
            idle.append(read)
    assert not idle, f"{rule.id} declares {idle} and no case needs it"


def _touched(rule: Rule, case: dict[str, Any], operations: frozenset[str]) -> bool:
    if case["status"] == "not_evaluated" and set(case.get("unread", ())) & operations:
        return True
    for operation in operations:
        if case.get("unread") or any(operation == _list(type_) for type_ in rule.types):
            continue
        resource, inventory = cases.build({**copy.deepcopy(case), "unread": [operation]}, _type(rule, case))
        if judge(_configured(rule, case), resource, relate(inventory)).status == Status.NOT_EVALUATED:
            return True
    return False


def _list(type_: str) -> str:
    kind = by_type().get(type_)
    return kind.operation(kind.list) if kind else ""


def _uncollected(type_: str, operation: str, fields: tuple[str, ...]) -> Gap:
    return Gap(type=type_, operation=operation, action=operation, reason=Reason.NOT_COLLECTED, fields=fields)


def test_no_case_is_left_over() -> None:
    """Every case file belongs to a rule."""
    files = {path.stem for path in cases.FOLDER.glob("*/*.yaml")}
    assert files <= set(RULES), f"cases without a rule: {sorted(files - set(RULES))}"


def test_a_resource_keeps_what_was_read() -> None:
    """The driver's own floor: a denied detail call hides its fields and no others."""
    made = cases.resource(
        "AWS::SQS::Queue", {"name": "q", "data": {"FifoQueue": True}}, cases.Run(account="1")
    )
    cases.deny("sqs:ListQueueTags", [made])
    assert isinstance(made, Resource)
    assert made["FifoQueue"] is True
