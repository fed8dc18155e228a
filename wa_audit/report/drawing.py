"""A pipeline as a drawing: layers from left to right, stages as boxes, data as arrows.

`draw` places everything and knows no format; `svg` writes it down. Where there are many stages, those of one
type and with the same neighbours stand in one box: "12 functions". Whatever comes from an account is escaped,
and no colour says anything that a word does not say too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from html import escape
from itertools import pairwise
from typing import NamedTuple

from wa_audit.layers import Layer
from wa_audit.model import Severity
from wa_audit.pipelines import State
from wa_audit.report.flows import PipelineFacts, Stage
from wa_audit.text import visible

# Lengths are in SVG's user units, a CSS pixel each at the drawing's own size.
WIDTH, HEIGHT = 176, 52
_GAP_X, _GAP_Y, _MARGIN, _HEAD = 64, 18, 16, 34
_LONGEST = 23  # characters of a name in a box
_FOLD_FROM, _FOLD_ALL_FROM = 14, 48  # stages; boxes
_SWEEPS = 8
_LANE = 8  # the height of a passage


class Box(NamedTuple):
    """One stage, or several of one type with the same neighbours. `x` and `y` are its upper left corner."""

    stages: tuple[Stage, ...]
    layer: Layer
    x: float
    y: float

    @property
    def failing(self) -> int:
        return sum(stage.failing for stage in self.stages)

    @property
    def worst(self) -> Severity | None:
        return min((s.worst for s in self.stages if s.worst), key=lambda s: s.rank, default=None)


class Arrow(NamedTuple):
    """From the box of one number to that of another; `back` where it runs against the layers.

    `by` are the points, at the left edge of a column each, at which it passes the columns between.
    """

    source: int
    target: int
    relations: tuple[str, ...]
    back: bool
    by: tuple[tuple[float, float], ...] = ()


class Drawing(NamedTuple):
    """`columns` are the layers, each with the x where it begins and its width."""

    width: float
    height: float
    boxes: list[Box]
    arrows: list[Arrow]
    columns: list[tuple[Layer, float, float]]


def draw(pipeline: PipelineFacts) -> Drawing:
    """Where everything of a pipeline stands. The same pipeline gives the same drawing."""
    groups = _groups(pipeline)
    box_of = {stage.id: n for n, stages in enumerate(groups) for stage in stages}
    links: dict[tuple[int, int], set[str]] = defaultdict(set)
    for link in pipeline.links:
        ends = box_of[link.source], box_of[link.target]
        if ends[0] != ends[1] or link.source == link.target:
            links[ends].add(link.relation)
    layers = [stages[0].layer for stages in groups]
    columns = _columns(layers, links)
    ways, columns = _ways(links, columns)
    order = _order(columns, [pair for way in ways.values() for pair in pairwise(way)])
    tops, height = _tops(order, len(groups))
    xs = [_MARGIN + number * (WIDTH + _GAP_X) for number in range(len(order))]
    boxes = [Box(tuple(stages), layers[n], xs[columns[n]], tops[n]) for n, stages in enumerate(groups)]
    arrows = [
        Arrow(
            source,
            target,
            tuple(sorted(relations)),
            columns[target] <= columns[source],
            tuple((xs[columns[n]], tops[n] + _LANE / 2) for n in ways.get((source, target), ())[1:-1]),
        )
        for (source, target), relations in sorted(links.items())
    ]
    bands = _bands(layers, [xs[column] for column in columns[: len(layers)]])
    return Drawing(xs[-1] + WIDTH + _MARGIN, height, boxes, arrows, bands)


# -- folding -----------------------------------------------------------------------------------------


def _groups(pipeline: PipelineFacts) -> list[list[Stage]]:
    """The stages by box, in the order of their ids."""
    stages = pipeline.stages
    if len(stages) < _FOLD_FROM:
        return [[stage] for stage in stages]
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    for link in pipeline.links:
        before[link.target].add(link.source)
        after[link.source].add(link.target)

    def alike(stage: Stage) -> tuple[object, ...]:
        around = frozenset(before[stage.id]), frozenset(after[stage.id])
        return stage.layer, stage.type, stage.state, around

    groups = _grouped(stages, alike)
    if len(groups) >= _FOLD_ALL_FROM:
        groups = _grouped(stages, lambda stage: (stage.layer, stage.type, stage.state, stage.worst))
    return groups


def _grouped(stages: Iterable[Stage], key: Callable[[Stage], object]) -> list[list[Stage]]:
    found: dict[object, list[Stage]] = {}
    for stage in stages:
        found.setdefault(key(stage), []).append(stage)
    return list(found.values())


# -- placing -----------------------------------------------------------------------------------------


def _columns(layers: list[Layer], links: Mapping[tuple[int, int], set[str]]) -> list[int]:
    """Each box's column: layers stand in their order, and within one a box stands after what leads to it."""
    order = list(Layer)
    ranks = [0] * len(layers)
    within = [(a, b) for a, b in links if layers[a] is layers[b] and a != b]
    for _ in range(min(len(layers), 12)):  # a loop within a layer ends somewhere
        moved = False
        for a, b in sorted(within):
            if ranks[b] <= ranks[a] < 6:
                ranks[b] = ranks[a] + 1
                moved = True
        if not moved:
            break
    used = sorted({(order.index(layer), rank) for layer, rank in zip(layers, ranks, strict=True)})
    number = {place: n for n, place in enumerate(used)}
    return [number[order.index(layer), rank] for layer, rank in zip(layers, ranks, strict=True)]


def _ways(
    links: Mapping[tuple[int, int], set[str]], columns: list[int]
) -> tuple[dict[tuple[int, int], list[int]], list[int]]:
    """Each forward link as a way from column to column, and the columns with its passages at their end.

    A link that skips columns gets a passage in each, so that it runs between boxes and not behind them.
    """
    columns = list(columns)
    ways = {}
    for source, target in sorted(links):
        way = [source]
        for column in range(columns[source] + 1, columns[target]):
            way.append(len(columns))
            columns.append(column)
        if columns[target] > columns[source]:
            ways[source, target] = [*way, target]
    return ways, columns


def _order(columns: list[int], pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Each column from top to bottom, everything near what it is linked to (barycentres, Sugiyama 1981)."""
    order: list[list[int]] = [[] for _ in range(max(columns) + 1)]
    for item, column in enumerate(columns):
        order[column].append(item)
    before: dict[int, list[int]] = defaultdict(list)
    after: dict[int, list[int]] = defaultdict(list)
    for a, b in pairs:
        before[b].append(a)
        after[a].append(b)
    position = _positions(order)
    for sweep in range(_SWEEPS):
        near = after if sweep % 2 else before
        ordered = reversed(order) if sweep % 2 else iter(order)
        for items in ordered:
            centre = {item: _mean([position[b] for b in near[item]], position[item]) for item in items}
            items.sort(key=lambda item: (centre[item], position[item]))
            position |= _positions([items])
    return order


def _positions(order: list[list[int]]) -> dict[int, float]:
    """Each item's place within its column, counted from the column's middle."""
    return {item: number - (len(column) - 1) / 2 for column in order for number, item in enumerate(column)}


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _tops(order: list[list[int]], boxes: int) -> tuple[list[float], float]:
    """The upper edge of each box and passage, columns centred, and the height of the whole."""
    heights = [sum(_tall(item, boxes) for item in column) - _GAP_Y for column in order]
    inner = max(heights)
    tops: dict[int, float] = {}
    for column, height in zip(order, heights, strict=True):
        top = _HEAD + _MARGIN + (inner - height) / 2
        for item in column:
            tops[item] = top
            top += _tall(item, boxes)
    return [tops[item] for item in sorted(tops)], _HEAD + 2 * _MARGIN + inner + _GAP_Y


def _tall(item: int, boxes: int) -> float:
    return (HEIGHT if item < boxes else _LANE) + _GAP_Y


def _bands(layers: list[Layer], xs: list[float]) -> list[tuple[Layer, float, float]]:
    """Each layer's x and width."""
    found = []
    for layer in Layer:
        own = [x for x, of in zip(xs, layers, strict=True) if of is layer]
        if own:
            found.append((layer, min(own), max(own) + WIDTH - min(own)))
    return found


# -- writing -----------------------------------------------------------------------------------------


def label(box: Box) -> str:
    """What stands in a box: a name, or how many of what."""
    first = box.stages[0]
    if len(box.stages) == 1:
        return _short(visible(first.name) or "?")
    return f"{len(box.stages)} {type_words(first.type, many=True)}"


def type_words(type_: str, *, many: bool = False) -> str:
    """`AWS::KinesisFirehose::DeliveryStream` as a person says it: `Firehose delivery stream`."""
    if not type_:
        return "sources" if many else "outside AWS"
    _, service, noun = type_.split("::")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", noun)
    words = " ".join(word if word.isupper() else word.lower() for word in words.split())
    name = f"{_SERVICES.get(service, service)} {words}".strip()
    name = name[0].upper() + name[1:]
    if not many:
        return name
    return name[:-1] + "ies" if name.endswith("y") else name + "s"


_SERVICES = {
    "DynamoDB": "DynamoDB",
    "EMRServerless": "EMR Serverless",
    "Events": "EventBridge",
    "KafkaConnect": "MSK Connect",
    "KinesisFirehose": "Firehose",
    "OpenSearchService": "OpenSearch",
    "RedshiftServerless": "Redshift Serverless",
    "StepFunctions": "",
}
STATES = {
    State.OUTSIDE: "outside the account",
    State.DANGLING: "does not exist",
    State.UNREAD: "could not be read",
}


def _short(name: str) -> str:
    """A long name without its middle: what tells names apart stands at their ends."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2 - 1]}…{name[-(_LONGEST // 2) :]}"


def verdict(box: Box) -> str:
    """What is said beneath a box's name: that it is not there, how much fails, or what it is."""
    first = box.stages[0]
    if first.state in STATES:
        return STATES[first.state]
    if box.worst:
        return f"{box.failing} failing, {box.worst}"
    return type_words(first.type) if len(box.stages) == 1 else "nothing fails"


def svg(drawing: Drawing, *, title: str, link: Callable[[Box], str] | None = None, style: str = "") -> str:
    """The drawing as an SVG element. `link` gives where a box leads; `style` makes it stand alone.

    Colours are those of the classes `stage`, `arrow`, `layer` and of a severity, in whatever style is around.
    """
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    name = escape(visible(title))
    role = "group" if link else "img"  # an image must not hold what can be focused
    said = f'role="{role}" aria-label="{name}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" {size} {said}>']
    if style:
        parts.append(f"<style>{style}</style>")
    parts += [_band(*column, drawing.height) for column in drawing.columns]
    parts += [_arrow(arrow, drawing) for arrow in drawing.arrows]
    parts += [_box(box, link(box) if link else "") for box in drawing.boxes]
    parts.append("</svg>")
    return "".join(parts)


def _band(layer: Layer, x: float, width: float, height: float) -> str:
    place = f'x="{x - 10:g}" y="6" width="{width + 20:g}" height="{height - 12:g}"'
    head = f'<text x="{x + width / 2:g}" y="26">{layer.label}</text>'
    return f'<g class="layer"><rect {place} rx="10"/>{head}</g>'


def _arrow(arrow: Arrow, drawing: Drawing) -> str:
    source, target = drawing.boxes[arrow.source], drawing.boxes[arrow.target]
    words = f"{escape(label(source))} {' and '.join(arrow.relations)} {escape(label(target))}"
    if arrow.back:
        path, (x, y) = _around(source, target), _tip(target)
        head = f"M{x - 4:g} {y:g}l4 -7l4 7z"
    else:
        x, y = target.x - 7, target.y + HEIGHT / 2
        path = _through(source.x + WIDTH, source.y + HEIGHT / 2, arrow.by, x, y)
        head = f"M{x:g} {y - 4:g}l7 4l-7 4z"
    kind = "arrow back" if arrow.back else "arrow"
    return f'<g class="{kind}"><title>{words}</title><path d="{path}"/><path class="head" d="{head}"/></g>'


def _through(x: float, y: float, by: tuple[tuple[float, float], ...], to_x: float, to_y: float) -> str:
    """From the right of a box, straight across each column between, to the left of another."""
    path = f"M{x:g} {y:g}"
    for next_x, next_y in by:
        path += _curve(x, y, next_x, next_y) + f"H{next_x + WIDTH:g}"
        x, y = next_x + WIDTH, next_y
    return path + _curve(x, y, to_x, to_y)


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    return f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"


def _around(source: Box, target: Box) -> str:
    """Below the boxes, from one's foot to the other's: a way that no forward arrow takes."""
    x, y = source.x + WIDTH * 0.6, source.y + HEIGHT
    to_x, to_y = _tip(target)
    low = max(y, to_y) + 16
    return f"M{x:g} {y:g}C{x:g} {low:g} {to_x:g} {low:g} {to_x:g} {to_y:g}"


def _tip(target: Box) -> tuple[float, float]:
    return target.x + WIDTH * 0.4, target.y + HEIGHT + 7


def _box(box: Box, href: str) -> str:
    first = box.stages[0]
    names = ", ".join(visible(stage.name) for stage in box.stages[:20])
    more = f" and {len(box.stages) - 20} more" if len(box.stages) > 20 else ""
    told = f"{type_words(first.type)}: {names}{more}; {verdict(box)}"
    told += "; shared with other pipelines" if first.shared else ""
    classes = ["stage", str(box.worst) if box.worst else "sound", str(first.state)]
    classes += ["shared"] if first.shared else []
    stack = (
        f'<rect x="{box.x + 4:g}" y="{box.y + 4:g}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        if len(box.stages) > 1
        else ""
    )
    shape = (
        f'<g class="{" ".join(classes)}"><title>{escape(told)}</title>{stack}'
        f'<rect class="face" x="{box.x:g}" y="{box.y:g}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        f'<path class="mark" d="M{box.x:g} {box.y + 8:g}a8 8 0 0 1 6 -8v{HEIGHT}a8 8 0 0 1 -6 -8z"/>'
        f'<text class="name" x="{box.x + 14:g}" y="{box.y + 22:g}">{escape(label(box))}</text>'
        f'<text class="said" x="{box.x + 14:g}" y="{box.y + 40:g}">{escape(verdict(box))}</text></g>'
    )
    return f'<a href="{escape(href)}">{shape}</a>' if href else shape


STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif; }
.layer rect { fill: #f2f5f8; } .layer text { text-anchor: middle; font-size: 12px; fill: #526072; }
.stage rect { fill: #fff; stroke: #7d8b9c; } .stage.shared rect { stroke-dasharray: 5 3; }
.stage .mark { fill: #0b7443; } .stage.critical .mark { fill: #9c1238; } .stage.high .mark { fill: #bd2a1f; }
.stage.medium .mark { fill: #935400; } .stage.low .mark { fill: #164a86; }
.stage.info .mark { fill: #45525f; }
.stage.dangling rect { stroke: #bd2a1f; }
.name { font-size: 12.5px; fill: #16202c; } .said { font-size: 11px; fill: #526072; }
.arrow path { fill: none; stroke: #526072; stroke-width: 1.3; } .arrow .head { fill: #526072; stroke: none; }
.arrow.back path { stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
svg { background: #10151c; } .layer rect { fill: #19202a; } .layer text, .said { fill: #a3b0c0; }
.stage rect { fill: #131a23; stroke: #74849a; } .name { fill: #e7ecf2; } .arrow path { stroke: #a3b0c0; }
.arrow .head { fill: #a3b0c0; } .stage .mark { fill: #57cf94; } .stage.critical .mark { fill: #ff9bb0; }
.stage.high .mark { fill: #ff8b7e; } .stage.medium .mark { fill: #f2b64b; }
.stage.low .mark { fill: #b0d2fb; } }
"""
