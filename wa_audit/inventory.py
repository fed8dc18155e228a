"""The Inventory: what was read of an account, what could not be, and how to ask for either.

Stored as JSON Lines: a header line (`Run`), then one line a gap, then one line a resource, sorted, so
that the same account gives the same bytes.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wa_audit.aws import arns
from wa_audit.files import write_atomically
from wa_audit.memory import Shared, never_collected
from wa_audit.model import ConfigurationError, Gap, Reason, Relation, Resource, Unread

FORMAT = "wa-audit-inventory"
VERSION = 1
ACCOUNT_TYPE = "AWS::::Account"


class Run(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The facts of one collection. Times are UTC, ISO 8601, to the second.

    `throttles` counts answers in which AWS asked to slow down, each of which was tried again;
    `gone` counts resources that were listed and no longer there when they were described.
    `metrics_days` is how many days before `started`, which ends them cut to the hour, the metrics cover; 0
    where none were read.
    """

    account: str
    partition: str = "aws"
    regions: tuple[str, ...] = ()
    identity: str = ""
    started: str = ""
    finished: str = ""
    calls: int = 0
    throttles: int = 0
    gone: int = 0
    complete: bool = True
    metrics_days: int = 0
    tool: str = ""


class _Header(msgspec.Struct, kw_only=True):
    format: str
    version: int
    run: Run
    resources: int
    gaps: int


class Blind(NamedTuple):
    """A reading that is missing, and with it whatever relations it would have declared.

    They would start at resources of `type`, any where it is empty, at the resource `arn` alone where one is
    given; and lead to resources of one of `services`, any where there are none.
    """

    gap: Gap
    type: str = ""
    services: tuple[str, ...] = ()
    arn: str = ""

    def may_concern(self, region: str) -> bool:
        return not region or self.gap.region in ("", region)

    def may_start_at(self, source: Resource) -> bool:
        return self.type in ("", source.type) and self.arn in ("", source.arn)


# Relations by kind, and by the ARN that they start at or lead to.
_Index = dict[str, dict[str, list[Relation]]]
_NONE: dict[str, list[Relation]] = {}


class Inventory:
    """Resources by type, by ARN and by relation.

    Every question that an unread list or field could have answered otherwise raises `Unread`.
    """

    def __init__(
        self,
        run: Run,
        resources: Iterable[Resource],
        gaps: Iterable[Gap] = (),
    ) -> None:
        self.run = run
        self.gaps = sorted(gaps, key=lambda g: (g.type, g.region, g.operation, g.fields))
        self._list_gaps: dict[str, list[Gap]] = defaultdict(list)
        never_read: dict[str, list[Gap]] = defaultdict(list)
        for gap in self.gaps:
            (never_read if gap.fields else self._list_gaps)[gap.type].append(gap)

        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        self._by_arn: dict[str, Resource] = {}
        for resource in sorted(resources, key=lambda r: (r.type, r.arn)):
            if resource.type in never_read and resource.gaps[-1:] != tuple(never_read[resource.type][-1:]):
                resource.gaps = (*resource.gaps, *never_read[resource.type])
            self._by_type[resource.type].append(resource)
            self._by_arn[resource.arn] = resource

        self._targets: _Index = {}
        self._sources: _Index = {}
        self._blind: dict[str, list[Blind]] = {}
        self._of_region: dict[tuple[str, str], list[Resource]] = {}
        self._names: dict[tuple[str, str], list[Resource]] | None = None
        self._derived: dict[str, Any] = {}
        self.is_related = False

    def with_relations(self, relations: Iterable[Relation], blind: dict[str, list[Blind]]) -> Inventory:
        """The same inventory with these relations, of which any may come twice, and with what may have hidden
        more of each kind."""
        related = copy.copy(self)
        related.is_related = True
        related._targets, related._sources, related._derived = defaultdict(dict), defaultdict(dict), {}
        for relation in relations:
            related._targets[relation.kind].setdefault(relation.source, []).append(relation)
            related._sources[relation.kind].setdefault(relation.target, []).append(relation)
        for index in (related._targets, related._sources):
            for of_kind in index.values():
                for found in of_kind.values():
                    if len(found) > 1:
                        found[:] = sorted(set(found))
        related._blind = {kind: blinds for kind, blinds in blind.items() if blinds}
        return related

    def __iter__(self) -> Iterator[Resource]:
        for type_ in sorted(self._by_type):
            yield from self._by_type[type_]

    def __len__(self) -> int:
        return len(self._by_arn)

    @property
    def types(self) -> list[str]:
        return sorted(self._by_type)

    def known(self, type_: str) -> list[Resource]:
        """The resources of a type that were read, whether or not the list is whole."""
        return self._by_type.get(type_, [])

    def list_gaps(self, type_: str) -> list[Gap]:
        """What kept the list of this type from being whole."""
        return self._list_gaps.get(type_, [])

    def of(self, type_: str, *, region: str | None = None) -> list[Resource]:
        """All resources of a type, in one region or in all that were audited.

        Raises:
            Unread: the list is not whole.
        """
        for gap in self._list_gaps.get(type_, ()):
            if region is None or gap.region in ("", region):
                raise Unread(gap)
        if region is None:
            return self._by_type.get(type_, [])
        known = self._of_region.get((type_, region))
        if known is None:
            found = self._by_type.get(type_, [])
            known = self._of_region[type_, region] = [r for r in found if r.region in ("", region)]
        return known

    def having(
        self, type_: str, by: str | Callable[[Resource], Any], value: Any, *, region: str
    ) -> list[Resource]:
        """The resources of a type and region of which `by`, a field or a function, gives this value.

        They are looked up, not gone through. A function is known again by itself: no lambda.

        Raises:
            Unread: the list is not whole, or what `by` asks of one of them could not be read.
        """
        listed = self.of(type_, region=region)
        name = by if isinstance(by, str) else f"{by.__module__}.{by.__qualname__}"
        index: Mapping[Any, list[Resource]] | Unread
        index = self.derived(f"{type_} in {region} by {name}", lambda: _grouped(listed, by))
        if isinstance(index, Unread):
            raise index
        return index.get(value, [])

    def find(self, type_: str, arn: str | None) -> Resource | None:
        """The resource with this ARN, or None where it is certain that there is none.

        Raises:
            Unread: its type could not be listed, or it lies outside the audited account and regions.
        """
        if not arn:
            return None
        if arn in self._by_arn:
            return self._by_arn[arn]
        parsed = arns.parse(arn)
        outside = parsed.account not in ("", "aws", self.run.account) or (
            parsed.region not in ("", *self.run.regions)
        )
        if outside:
            raise Unread(Gap(type=type_, operation="", action="", reason=Reason.OUT_OF_SCOPE, message=arn))
        for gap in self._list_gaps.get(type_, ()):
            if gap.region in ("", parsed.region) or not parsed.region:
                raise Unread(gap)
        return None

    def named(self, type_: str, name: str, region: str) -> Resource | None:
        """The resource of this type, name and region if it was read; global ones are in every region."""
        if self._names is None:
            self._names = {}
            for resource in self:
                self._names.setdefault((resource.type, resource.name), []).append(resource)
        for resource in self._names.get((type_, name), ()):
            if region in ("", resource.region) or not resource.region:
                return resource
        return None

    def arn_near(self, type_: str, name: str, near: Resource) -> str:
        """The ARN that what has this type and name bears in the account and region of a resource.

        Raises:
            KeyError: `arns.SPELLINGS` has no such type.
        """
        return arns.build(type_, name, partition=self.run.partition, region=near.region, account=near.account)

    def known_tags(self, arn: str) -> dict[str, str]:
        """A resource's tags as far as they were read; none says nothing about whether it has any."""
        found = self._by_arn.get(arn)
        tags = found.data.get("Tags") if found else None
        return tags if isinstance(tags, dict) else {}

    def get(self, arn: str) -> Resource | None:
        """The resource with this ARN if it was read; None says nothing about whether it exists."""
        return self._by_arn.get(arn)

    @property
    def account(self) -> Resource:
        """The resource that stands for the account itself."""
        return self._by_type[ACCOUNT_TYPE][0]

    # -- relations ---------------------------------------------------------------------------------

    def targets(self, source: Resource, *kinds: str) -> list[Relation]:
        """Everything that `source` points at by any of these kinds, complete, one kind after the other.

        Raises:
            Unread: something that could have declared such a relation could not be read.
        """
        if self._blind:
            for kind in kinds:
                self._see_all_targets(source, kind)
        if len(kinds) == 1:
            return self._targets.get(kinds[0], _NONE).get(source.arn, [])
        return _of_kinds(kinds, self._targets, source.arn)

    def sources(self, target: Resource, *kinds: str) -> list[Relation]:
        """Everything that points at `target` by any of these kinds; as `targets`.

        What has no Region in its ARN, a bucket or a role, can be pointed at from every Region.
        """
        if self._blind:
            for kind in kinds:
                self._see_all_sources(target, kind)
        if len(kinds) == 1:
            return self._sources.get(kinds[0], _NONE).get(target.arn, [])
        return _of_kinds(kinds, self._sources, target.arn)

    def around(self, resource: Resource, kinds: Sequence[str]) -> set[str]:
        """The ARNs that a resource points at, or that point at it, by any of several kinds, complete.

        Raises:
            Unread: see `targets` and `sources`.
        """
        if self._blind:
            for kind in kinds:
                self._see_all_targets(resource, kind)
                self._see_all_sources(resource, kind)
        found = {relation.target for relation in _of_kinds(kinds, self._targets, resource.arn)}
        found.update(relation.source for relation in _of_kinds(kinds, self._sources, resource.arn))
        return found

    def has_source(self, target: Resource, kind: str) -> bool:
        """Whether anything points at `target` by `kind`: one hit suffices.

        Raises:
            Unread: nothing known does, but something that might could not be read.
        """
        if target.arn in self._sources.get(kind, _NONE):
            return True
        return bool(self._blind and self.sources(target, kind))

    def has_target(self, source: Resource, kind: str) -> bool:
        """Whether `source` points at anything by `kind`; as `has_source`."""
        if source.arn in self._targets.get(kind, _NONE):
            return True
        return bool(self._blind and self.targets(source, kind))

    def _see_all_targets(self, source: Resource, kind: str) -> None:
        """Raises Unread where a relation of this kind that starts at `source` may have gone unseen."""
        for blind in self._blind.get(kind, ()):
            if blind.may_concern(source.region) and blind.may_start_at(source):
                raise Unread(blind.gap)

    def _see_all_sources(self, target: Resource, kind: str) -> None:
        """Raises Unread where a relation of this kind that leads to `target` may have gone unseen."""
        place = arns.parse(target.arn)
        for blind in self._blind.get(kind, ()):
            is_led_to = not blind.services or place.service in blind.services
            if is_led_to and blind.may_concern(place.region):
                raise Unread(blind.gap)

    def relations(self) -> list[Relation]:
        """Every relation, sorted."""
        return sorted(self.relations_of(self._targets))

    def relations_of(self, kinds: Iterable[str]) -> Iterator[Relation]:
        """Every relation of these kinds that was read, whether or not there are more; in no order."""
        for kind in kinds:
            for found in self._targets.get(kind, _NONE).values():
                yield from found

    def known_targets(self, source: str, kind: str) -> list[Relation]:
        """What the ARN `source` points at by `kind`, as far as was read."""
        return self._targets.get(kind, _NONE).get(source, [])

    def known_sources(self, target: str, kind: str) -> list[Relation]:
        """What points at the ARN `target` by `kind`, as far as was read."""
        return self._sources.get(kind, _NONE).get(target, [])

    def derived(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` makes of this inventory, made once: an index that many checks ask."""
        if key not in self._derived:
            self._derived[key] = make()
        return self._derived[key]

    def forget_derived(self) -> None:
        """Lets go of what was derived: some of it holds on to the inventory, as the inventory does to it."""
        self._derived.clear()

    def blind(self, kind: str) -> list[Blind]:
        """What may have hidden relations of this kind."""
        return self._blind.get(kind, [])


def _grouped(
    resources: Iterable[Resource], by: str | Callable[[Resource], Any]
) -> Mapping[Any, list[Resource]] | Unread:
    """The resources by what `by` gives of each; that it could not be read, where of one it could not."""
    index: dict[Any, list[Resource]] = {}
    try:
        for resource in resources:
            key = resource[by] if isinstance(by, str) else by(resource)
            index.setdefault(key, []).append(resource)
    except Unread as unread:
        return unread
    return index


def _of_kinds(kinds: Iterable[str], index: _Index, arn: str) -> list[Relation]:
    """What an index has of these kinds by an ARN, one kind after the other."""
    found: list[Relation] = []
    for kind in kinds:
        of_kind = index.get(kind, _NONE)
        if arn in of_kind:
            found += of_kind[arn]
    return found


# -- the file --------------------------------------------------------------------------------------

_encode = msgspec.json.Encoder(order="sorted").encode


def write(inventory: Inventory, path: Path) -> None:
    """Writes the inventory as JSON Lines, atomically, readable by its owner alone."""
    write_atomically(path, lines(inventory))


def lines(inventory: Inventory) -> Iterator[bytes]:
    """The inventory's lines, each with its newline."""
    header = _Header(
        format=FORMAT,
        version=VERSION,
        run=inventory.run,
        resources=len(inventory),
        gaps=len(inventory.gaps),
    )
    yield _encode(header) + b"\n"
    for gap in inventory.gaps:
        yield _encode({"gap": gap}) + b"\n"
    shared = {gap for gap in inventory.gaps if gap.fields}
    for resource in inventory:
        own = tuple(gap for gap in resource.gaps if gap not in shared)
        yield _encode({"resource": msgspec.structs.replace(resource, gaps=own)}) + b"\n"


class _Stored(msgspec.Struct, kw_only=True):
    """A resource as it stands in the file, its fields still text."""

    type: str
    arn: str
    name: str
    account: str
    region: str = ""
    data: dict[str, msgspec.Raw] = {}
    gaps: tuple[Gap, ...] = ()


class _Line(msgspec.Struct):
    gap: Gap | None = None
    resource: _Stored | None = None


def read(path: Path) -> Inventory:
    """Reads an inventory file.

    Raises:
        ConfigurationError: the file is not there, not an inventory, cut off, or of a newer version.
    """
    try:
        with path.open("rb") as file, never_collected():
            return _read_lines(path, file)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read_lines(path: Path, file: Iterable[bytes]) -> Inventory:
    rows = iter(file)
    header = _read_header(path, next(rows, b""))
    decode = msgspec.json.Decoder(_Line).decode
    shared = Shared()
    gaps: list[Gap] = []
    resources: list[Resource] = []
    for number, row in enumerate(rows, start=2):
        try:
            line = decode(row)
            if line.resource is not None:
                resources.append(_resource(line.resource, shared))
        except msgspec.DecodeError as error:
            raise ConfigurationError(f"{path}, line {number}: {error}; collect again") from None
        if line.gap is not None:
            gaps.append(line.gap)
    if (len(resources), len(gaps)) != (header.resources, header.gaps):
        raise ConfigurationError(
            f"{path}: cut off: its first line promises {header.resources} resources and {header.gaps} gaps, "
            f"the file holds {len(resources)} and {len(gaps)}; collect again"
        )
    return Inventory(header.run, resources, gaps)


def _resource(stored: _Stored, shared: Shared) -> Resource:
    """The resource, whose fields are one object with those of others that say the same.

    Raises:
        msgspec.DecodeError: a field is no JSON.
    """
    return Resource(
        type=shared.text(stored.type),
        arn=shared.text(stored.arn),
        name=shared.text(stored.name),
        account=shared.text(stored.account),
        region=shared.text(stored.region),
        data={shared.text(name): shared.decoded(raw) for name, raw in stored.data.items()},
        gaps=stored.gaps,
    )


def _read_header(path: Path, row: bytes) -> _Header:
    try:
        plain: Any = msgspec.json.decode(row)
    except msgspec.DecodeError:
        plain = None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ConfigurationError(f"{path}, line 1: not an inventory; 'wa-audit collect -o FILE' writes one")
    if plain.get("version") != VERSION:
        raise ConfigurationError(
            f"{path}, line 1: inventory version {plain.get('version')}, this program reads version "
            f"{VERSION}; use the wa-audit that wrote it, or collect again"
        )
    try:
        return msgspec.convert(plain, _Header)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}, line 1: {error}") from None
