"""How an identity can take on rights that it was not given: the paths, and which of them policies leave open.

A path is open where all that it needs is given: what it does to others' roles, keys or buckets on all of
them, and what it does with its own means on any. A role that is handed to a service (iam:PassRole) must be
one that the policies let go to that very service.

The paths are a dated table, data/iam_escalation_paths.tsv, which names its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from wa_audit.aws import policy
from wa_audit.aws.framework import table
from wa_audit.aws.kept import kept
from wa_audit.aws.policy import Grant, Policies, Policy

# Conditions that make less than all of what others have: on what is asked for, but for the account that owns
# it, and on the boundary of the role that is changed. What one makes oneself can be made to meet them.
_NARROWS = (policy.WHAT - policy.OWNER) | {"iam:permissionsboundary"}

_PASS_ROLE = "iam:PassRole"
# What a request of a path says in any case, by condition key: AWS has no policy that gives more.
_ATTACHED = ("iam:policyarn", "arn:aws:iam::aws:policy/AdministratorAccess")
_ATTACHES = frozenset({"iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:AttachGroupPolicy"})


class Path(NamedTuple):
    """One way to more rights. `kind` is escalation or data, `itself` role, policy or empty; see the table."""

    name: str
    kind: str
    on_all: tuple[str, ...]
    on_any: tuple[str, ...]
    itself: str
    passed_to: str
    how: str

    @property
    def actions(self) -> tuple[str, ...]:
        return (*self.on_all, *self.on_any)


class Opening(NamedTuple):
    """A path that policies leave open, and a grant of each of its actions.

    `doubtful` says that one of them stands under a condition that is not understood.
    """

    path: Path
    grants: tuple[Grant, ...]

    @property
    def doubtful(self) -> bool:
        return any(grant.doubtful for grant in self.grants)


@cache
def paths() -> tuple[Path, ...]:
    """The table, in its order."""
    return tuple(
        Path(name, kind, _words(on_all), _words(on_any), itself.strip("-"), passed_to.strip("-"), how)
        for name, kind, on_all, on_any, itself, passed_to, how in table("iam_escalation_paths.tsv")
    )


def _words(cell: str) -> tuple[str, ...]:
    return () if cell == "-" else tuple(cell.split())


def openings(
    policies: Iterable[Policy],
    boundary: Policy | None = None,
    *,
    itself: Mapping[str, Sequence[str]] | None = None,
) -> list[Opening]:
    """The paths that an identity's policies leave open within its boundary, in the table's order.

    `itself` gives the ARNs of the identity's own `role` and of the managed policies (`policy`) that it could
    change in order to change what it may do.
    """
    own = policy.Policies.of(policies)
    asked = _Asked(own, boundary)
    found = []
    for path in _paths_within(own.may_give(_asked())):
        grants = asked.grants(path, (itself or {}).get(path.itself, ()))
        if grants:
            found.append(Opening(path, grants))
    return found


@cache
def _asked() -> policy.Asked:
    return policy.asked_for(tuple(action for path in paths() for action in path.actions))


@lru_cache(maxsize=1024)
def _paths_within(given: frozenset[str]) -> tuple[Path, ...]:
    """The paths that need no other action, in the table's order."""
    return tuple(path for path in paths() if policy.asked_for(path.actions).patterns <= given)


class _Asked:
    """Policies, and what was found of them, since many paths share an action."""

    def __init__(self, policies: Policies, boundary: Policy | None) -> None:
        self.policies, self.boundary = policies, boundary
        self.known: dict[tuple[str, str, str], Grant | None] = {}

    def grants(self, path: Path, itself: Sequence[str]) -> tuple[Grant, ...]:
        """A grant of each action of a path; none where one of them is not given."""
        found = []
        for action in path.on_all:
            found.append(self._first(path, action, itself))
            if found[-1] is None:
                return ()
        for action in path.on_any:
            found.append(self._grant(path, action, "any"))
            if found[-1] is None:
                return ()
        return tuple(grant for grant in found if grant is not None)

    def _first(self, path: Path, action: str, itself: Sequence[str]) -> Grant | None:
        """A grant of an action on everything, or failing that on what is the identity's own."""
        found = self._grant(path, action, "")
        for arn in itself:
            if found is None or found.doubtful:
                found = self._grant(path, action, arn) or found
        return found

    def _grant(self, path: Path, action: str, on: str) -> Grant | None:
        """One that is certain, if there is any."""
        key, value = _says(path, action)
        if key not in self._keys:
            key, value = "", ""
        asked = (action, value, on)
        if asked not in self.known:
            policies, boundary = self.policies, self.boundary
            if key:
                policies = self._of_iam.settled(key, value)
                boundary = policy.settled(boundary, key, value) if boundary else None
            if on == "any":
                found = policy.grants(policies, action, frozenset(), boundary, everywhere=False)
            else:
                found = policy.grants(policies, action, _NARROWS, boundary, on=on)
            self.known[asked] = min(found, key=lambda grant: grant.doubtful, default=None)
        return self.known[asked]

    @kept
    def _of_iam(self) -> Policies:
        """What a request's own words decide is IAM's alone."""
        return self.policies.of_service("iam")

    @kept
    def _keys(self) -> frozenset[str]:
        bounds = self.boundary.condition_keys if self.boundary else frozenset[str]()
        return self.policies.condition_keys | bounds


def _says(path: Path, action: str) -> tuple[str, str]:
    """The condition key that a path's request answers for certain, and its value."""
    if action == _PASS_ROLE:
        return "iam:passedtoservice", path.passed_to
    return _ATTACHED if action in _ATTACHES else ("", "")
