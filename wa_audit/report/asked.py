"""Questions in the audit: the best practices that no rule speaks to, and what was answered."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import msgspec

from wa_audit.model import Pillar
from wa_audit.questions import Answer, Question, Reply


class AnswerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said to a question, who, and on which day; it never changes a score."""

    answer: Reply
    who: str
    date: str
    note: str


class QuestionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A best practice that no rule speaks to, or that was answered all the same.

    `question` is the framework's own question that the practice belongs to, or the lens's principle.
    `only_a_person` is false where an account could tell, and no rule asks it.
    """

    practice: str
    pillar: Pillar
    question: str
    title: str
    url: str
    only_a_person: bool
    answer: AnswerFacts | None = None


def facts(questions: Iterable[Question]) -> list[QuestionFacts]:
    """The questions as the audit holds them, in their order."""
    return [_facts(question) for question in questions]


def _facts(question: Question) -> QuestionFacts:
    practice = question.practice
    return QuestionFacts(
        practice=practice.id,
        pillar=Pillar(practice.pillar),
        question=practice.question,
        title=practice.title,
        url=practice.url,
        only_a_person=question.only_a_person,
        answer=None if question.answer is None else _answer(question.answer),
    )


def _answer(answer: Answer) -> AnswerFacts:
    return AnswerFacts(answer=answer.answer, who=answer.who, date=answer.date.isoformat(), note=answer.note)


class Topic(NamedTuple):
    """Practices of one question of the framework."""

    question: str
    practices: list[QuestionFacts]


class Group(NamedTuple):
    """What is asked in one pillar."""

    pillar: Pillar
    topics: list[Topic]
    asked: int
    answered: int


def by_pillar(questions: Iterable[QuestionFacts]) -> list[Group]:
    """The questions as a reader goes through them: by pillar, then by the framework's own questions."""
    groups = []
    listed = list(questions)
    for pillar in Pillar:
        own = [question for question in listed if question.pillar is pillar]
        topics = [Topic(name, list(found)) for name, found in groupby(own, key=lambda q: q.question)]
        if own:
            groups.append(Group(pillar, topics, len(own), sum(1 for q in own if q.answer)))
    return groups
