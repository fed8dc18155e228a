"""Best practices that no rule speaks to, as questions for a person, and what was answered.

    [answers."SEC10-BP01"]
    answer = "yes"                    # or "no", or "not-applicable"
    note = "The on-call rota and the lawyers' numbers are in the runbook"
    who = "security@example.com"
    date = 2026-11-01

An answer is a person's word, which no reading of the account can confirm: it stands in the audit beside the
score, and never changes it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

import msgspec

from wa_audit import yamlfile
from wa_audit.aws import framework
from wa_audit.aws.framework import BestPractice
from wa_audit.rulebook import Rulebook
from wa_audit.text import unknown

_KEY = "answers"


class Reply(StrEnum):
    """What a person says to a question."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not-applicable"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a configuration says to one practice: what, on whose word, and since when."""

    answer: Reply
    who: str
    date: datetime.date
    note: str = ""


class Question(NamedTuple):
    """A practice to ask about. `only_a_person` is false where an account could be asked, and no rule does."""

    practice: BestPractice
    only_a_person: bool
    answer: Answer | None


def practices() -> Mapping[str, BestPractice]:
    """The framework's best practices and the Data Analytics Lens's, by id, in their order."""
    return {**framework.best_practices(), **framework.analytics_lens()}


def read(document: yamlfile.Document | None) -> dict[str, Answer]:
    """The answers of a configuration, by the practice's id.

    Raises:
        ConfigurationError: a practice does not exist, or an answer lacks who gave it and when, or says what
            no answer can say; names file and line.
    """
    given = document.data.get(_KEY, {}) if document else {}
    if document is None or not given:
        return {}
    if not isinstance(given, dict):
        raise document.error("answers holds answers by the ids of best practices", _KEY)
    answers = {}
    for id_, raw in given.items():
        if id_ not in practices():
            raise document.error(unknown("best practice", id_, practices()), _KEY, id_)
        answers[id_] = document.convert(raw, Answer, _KEY, id_)
        if not answers[id_].who.strip():
            raise document.error(f"{id_}.who is empty; say who answers for it", _KEY, id_, "who")
    return answers


def of(rulebook: Rulebook, answers: Mapping[str, Answer]) -> list[Question]:
    """What remains to be asked beside a rulebook, and whatever was answered; in the framework's order.

    A rulebook that was cut down to a part asks nothing of its own: what it does not judge, others may.
    """
    spoken = set(chain.from_iterable((*rule.best_practices, *rule.analytics_lens) for rule in rulebook.rules))
    asked = set() if rulebook.is_part else practices().keys() - spoken
    persons = framework.only_a_person()
    return [
        Question(practice, id_ in persons and id_ not in spoken, answers.get(id_))
        for id_, practice in practices().items()
        if id_ in asked or id_ in answers
    ]
