"""Directed graphs, as what each node leads to: what is joined, what runs in a circle, what can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Sets:
    """Disjoint sets that can be joined."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._parent = {id_: id_ for id_ in ids}

    def root(self, id_: str) -> str:
        while self._parent[id_] != id_:
            self._parent[id_] = self._parent[self._parent[id_]]
            id_ = self._parent[id_]
        return id_

    def join(self, one: str, other: str) -> None:
        one, other = sorted((self.root(one), self.root(other)))
        self._parent[other] = one


def loops(after: Mapping[str, set[str]], components: list[list[str]]) -> list[list[str]]:
    """The strongly connected components of more than one node, and nodes that lead to themselves, sorted."""
    found = [c for c in components if len(c) > 1 or c[0] in after[c[0]]]
    return sorted(sorted(component) for component in found)


def components_of(after: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components, each after all that it leads to (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for start in sorted(after):
        if start in index:
            continue
        work = [(start, iter(sorted(after[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            id_, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(after[other]))))
                    break
                if other in on_stack:
                    low[id_] = min(low[id_], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[id_])
                if low[id_] == index[id_]:
                    component: list[str] = []
                    while not component or component[-1] != id_:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    found.append(component)
    return found


def downstream(after: Mapping[str, set[str]], components: list[list[str]]) -> dict[str, int]:
    """By node, how many others can be reached from it.

    Sets of what is reached are bits of one number a component, so that a thousand nodes cost little.
    """
    component_of = {id_: n for n, ids in enumerate(components) for id_ in ids}
    position = {id_: n for n, id_ in enumerate(sorted(after))}
    reached: list[int] = []
    for number, ids in enumerate(components):
        bits = 0
        for id_ in ids:
            bits |= 1 << position[id_]
            for other in after[id_]:
                if component_of[other] != number:
                    bits |= reached[component_of[other]]
        reached.append(bits)
    return {id_: reached[component_of[id_]].bit_count() - 1 for id_ in sorted(after)}
