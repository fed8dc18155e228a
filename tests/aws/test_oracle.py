"""Labelled policies, and the engine's answers beside AWS's.

The engine may say more than is granted, each time for a reason that false_positives.md gives; it may never
say less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.aws import brute
from wa_audit.aws import deputies, policy
from wa_audit.aws.policy import Caller, Policy

FOLDER = Path(__file__).parent
GROUPS = yaml.safe_load((FOLDER / "oracle.yaml").read_text())
# What a reader may be told where the truth is that something is open.
OPEN = {"granted", "open", "unbound", "half", "doubtful"}
NARROWS = {"none": frozenset[str](), "what": policy.WHAT, "passed_to": policy.PASSED_TO}
# With these, another account's principal is somebody.
KNOWN_CALLER = frozenset({"sts:externalid", "aws:principalorgid", "aws:principalorgpaths"})


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for group in GROUPS:
        for case in group["cases"]:
            yield f"{group['about']}: {case['why']}", {"ask": group["ask"], **case}


CASES = dict(cases())


def engine(case: dict[str, Any]) -> str:
    """What the engine says, in the words of the labels."""
    ask, statements = case["ask"], policy.parse(case["policy"])
    own = [Policy("p", statements)]
    limit = Policy("boundary", policy.parse(case["boundary"])) if "boundary" in case else None
    match ask:
        case {"may": action, "on": resource}:
            return _given(policy.grants(own, action, NARROWS["none"], limit, on=resource), plain=True)
        case {"everywhere": action, "narrows": narrows}:
            return _given(policy.grants(own, action, NARROWS[narrows], limit))
        case {"full": True, "narrows": narrows}:
            return _given(policy.full_grants(own, NARROWS[narrows], limit))
        case {"public": _}:
            return _open(policy.exposures(statements, policy.is_public))
        case {"foreign": account}:
            return _open(policy.exposures(statements, lambda c: _is_foreign(c, account), KNOWN_CALLER))
        case {"federated": claim}:
            return _open(
                policy.exposures(statements, lambda c: c.kind is Caller.FEDERATED, frozenset({claim}))
            )
        case {"deputy": True}:
            told = deputies.told_apart(statements)
            if open_ := deputies.unbound(told):
                return "unbound"
            return "half" if deputies.half_bound(told, open_) else "bound"
    raise AssertionError(ask)


def _given(found: list[policy.Grant], *, plain: bool = False) -> str:
    if found and (plain or not all(grant.doubtful for grant in found)):
        return "granted"
    return "doubtful" if found else "refused"


def _open(found: list[policy.Exposure]) -> str:
    if found and not all(exposure.doubtful for exposure in found):
        return "open"
    return "doubtful" if found else "closed"


def _is_foreign(caller: policy.Principal, account: str) -> bool:
    return caller.kind is Caller.ACCOUNT and caller.account != account


def argued() -> dict[str, str]:
    """The false positives of false_positives.md: the case that each heading names, and the argument."""
    text = (FOLDER / "false_positives.md").read_text()
    return {
        heading.strip(): argument.strip()
        for heading, argument in re.findall(r"^### (.+)\n((?:(?!#).*\n?)*)", text, re.M)
    }


def test_there_are_cases_enough_and_each_is_its_own() -> None:
    assert len(CASES) == len(list(cases())) >= 200


@pytest.mark.parametrize("name", CASES)
def test_nothing_that_is_granted_goes_unsaid(name: str) -> None:
    case = CASES[name]
    said = engine(case)
    if case["label"] in OPEN:
        # "Not known" is told to the reader and clears nothing.
        assert said == case.get("engine", case["label"])
    elif name not in argued():
        assert said == case["label"]


def test_every_false_positive_is_argued_and_no_other() -> None:
    wrong = {name for name, case in CASES.items() if case["label"] not in OPEN and engine(case) in OPEN}
    assert wrong == set(argued())
    assert all(len(argument) > 80 for argument in argued().values())


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "may" in case["ask"]])
def test_labels_of_single_requests_are_what_brute_force_finds(name: str) -> None:
    case = CASES[name]
    documents, boundary = [case["policy"]], case.get("boundary")
    asked = [*documents, *([boundary] if boundary else [])]
    found = any(
        brute.allowed(documents, brute.Request(case["ask"]["may"], case["ask"]["on"], context), boundary)
        for context in brute.contexts(asked)
    )
    assert ("granted" if found else "refused") == case["label"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "public" in case["ask"]])
def test_labels_of_what_is_public_are_what_brute_force_finds(name: str) -> None:
    case = CASES[name]
    ask, document = case["ask"], case["policy"]
    stranger = ("AWS", brute.STRANGE["aws:principalarn"])
    found = any(
        brute.lets_in(document, brute.Request(ask["public"], ask["on"], context, stranger))
        for context in brute.contexts([document], policy.WHO)
    )
    # Whether a value of an unknown key is a stranger's, no universe tells.
    assert case["label"] in (("open", "doubtful") if found else ("closed",))
