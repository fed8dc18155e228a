"""What a Step Functions definition waits for, and whether it does something about a failure of that.

Only a call with `.sync` learns how the work ended; one without it has succeeded once the work is started.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from wa_audit.aws import arns

_Answer = TypeVar("_Answer")
_MOST_REMEMBERED = 20_000


def _remembered(function: Callable[..., _Answer]) -> Callable[..., _Answer]:
    """Remembers answers by a definition's identity: all jobs ask about the same few definitions.

    A remembered definition is kept alive, so that no other can take its identity.
    """
    answers: dict[tuple[object, ...], tuple[object, _Answer]] = {}

    @wraps(function)
    def remembering(definition: object, *more: str) -> _Answer:
        key = (id(definition), *more)
        if key not in answers:
            if len(answers) >= _MOST_REMEMBERED:
                answers.clear()
            answers[key] = (definition, function(definition, *more))
        return answers[key][1]

    return remembering


_States = Mapping[str, Mapping[str, Any]]
_CATCHING = frozenset({"States.ALL", "States.TaskFailed"})


class Wait(NamedTuple):
    """A Task that waits for work: the arguments it starts it with, and whether a Catch leads on to a Task."""

    arguments: Mapping[str, Any]
    caught: bool

    def argument(self, name: str) -> str | None:
        """The argument's value, or None where it is computed from the execution's input."""
        value = self.arguments.get(name)
        return value if isinstance(value, str) and not value.startswith("{%") else None


@_remembered
def waits(definition: object, action: str) -> list[Wait]:
    """Every Task of a definition, at any depth, that calls `glue:startJobRun` or the like and waits."""
    if not isinstance(definition, Mapping):
        return []
    found = []
    for chain in _tasks(definition.get("States") or {}, ()):
        state = chain[-1][0]
        call, _, mode = str(state.get("Resource", "")).partition(".")
        if mode.startswith("sync") and call.endswith(f":::{action}"):
            arguments = state.get("Arguments") or state.get("Parameters")
            found.append(
                Wait(
                    arguments if isinstance(arguments, Mapping) else {}, any(_caught(*link) for link in chain)
                )
            )
    return found


@_remembered
def functions(definition: object) -> frozenset[str]:
    """Every Lambda function named in parsed JSON: ARNs without alias or version, and FunctionNames."""
    return frozenset(_functions(definition))


def _functions(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        name = value.get("FunctionName")
        if isinstance(name, str):
            yield name
        for inner in value.values():
            yield from _functions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _functions(inner)
    elif isinstance(value, str) and arns.parse(value).service == "lambda":
        yield arns.function_arn(value)


_Link = tuple[Mapping[str, Any], _States]


def _tasks(states: _States, above: tuple[_Link, ...]) -> Iterator[tuple[_Link, ...]]:
    """Each Task, behind the Map and Parallel states around it, each with the states it stands among."""
    for state in states.values():
        chain = (*above, (state, states))
        if state.get("Type") == "Task":
            yield chain
        for inner in (state.get("ItemProcessor"), state.get("Iterator"), *(state.get("Branches") or ())):
            if isinstance(inner, Mapping):
                yield from _tasks(inner.get("States") or {}, chain)


def _caught(state: Mapping[str, Any], states: _States) -> bool:
    return any(
        _CATCHING & set(catcher.get("ErrorEquals") or ()) and _leads_to_work(str(catcher.get("Next")), states)
        for catcher in state.get("Catch") or ()
    )


def _leads_to_work(name: str, states: _States) -> bool:
    """Whether a Task may come next; a Catch that goes straight to Succeed or Fail tells nobody anything."""
    waiting, seen = [name], set()
    while waiting:
        name = waiting.pop()
        state = states.get(name)
        if state is None or name in seen:
            continue
        if state.get("Type") in ("Task", "Parallel", "Map"):
            return True
        seen.add(name)
        following = [state.get("Next"), state.get("Default")]
        following += [choice.get("Next") for choice in state.get("Choices") or ()]
        waiting.extend(found for found in following if found)
    return False
