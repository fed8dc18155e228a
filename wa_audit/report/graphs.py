"""A pipeline in the words of other programs: DOT for Graphviz, Mermaid for Markdown, and plain text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from wa_audit.layers import Layer
from wa_audit.report import drawing
from wa_audit.report.audit import Audit
from wa_audit.report.drawing import Box, Drawing
from wa_audit.report.flows import PipelineFacts, Stage
from wa_audit.text import count, visible


def as_dot(pipeline: PipelineFacts) -> str:
    """The pipeline in Graphviz's language, a cluster a layer."""
    made = drawing.draw(pipeline)
    lines = [f"digraph {_quoted(pipeline.name)} {{", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    for number, (layer, boxes) in enumerate(_by_layer(made)):
        lines.append(f"  subgraph cluster_{number} {{ label={_quoted(layer.label)};")
        lines += [f"    n{n} [label={_quoted(_words(box))}];" for n, box in boxes]
        lines.append("  }")
    for arrow in made.arrows:
        lines.append(f"  n{arrow.source} -> n{arrow.target} [label={_quoted(', '.join(arrow.relations))}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    r"""A quoted string of DOT: a quote and a backslash mean something in it, and the `\n` is ours."""
    shown = "\n".join(map(visible, text.split("\n")))
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def as_mermaid(pipeline: PipelineFacts) -> str:
    """The pipeline as a Mermaid flowchart, a subgraph a layer."""
    made = drawing.draw(pipeline)
    lines = ["flowchart LR"]
    for layer, boxes in _by_layer(made):
        lines.append(f'  subgraph {layer.value}["{layer.label}"]')
        lines += [f'    n{n}["{_mermaid(box)}"]' for n, box in boxes]
        lines.append("  end")
    for arrow in made.arrows:
        lines.append(f'  n{arrow.source} -->|"{", ".join(arrow.relations)}"| n{arrow.target}')
    return "\n".join(lines) + "\n"


def _mermaid(box: Box) -> str:
    """Mermaid knows the entities of HTML without their ampersand: `#35;`."""
    signs = {ord(sign): f"#{ord(sign)};" for sign in '"#&<>`[]{}()|\\;'}
    return "<br>".join(visible(line).translate(signs) for line in _words(box).split("\n"))


def _words(box: Box) -> str:
    return f"{drawing.label(box)}\n{drawing.verdict(box)}"


def _by_layer(made: Drawing) -> Iterator[tuple[Layer, list[tuple[int, Box]]]]:
    for layer in Layer:
        boxes = [(n, box) for n, box in enumerate(made.boxes) if box.layer is layer]
        if boxes:
            yield layer, boxes


def as_text(pipeline: PipelineFacts, audit: Audit, *, arrow: str = "→") -> str:
    """The pipeline for a terminal of 80 columns: a layer after the other, each stage with where it leads."""
    names = {id_: visible(name) for id_, name in pipeline.names.items()}
    after: dict[str, set[str]] = defaultdict(set)
    for link in pipeline.links:
        after[link.source].add(names[link.target])
    lines = [f"{visible(pipeline.name)} (named by {pipeline.named_by})", ""]
    lines += [f"  {name:<12}{value}" for name, value in _summary(pipeline, names, audit)]
    for layer in Layer:
        stages = [stage for stage in pipeline.stages if stage.layer is layer]
        if stages:
            lines += ["", layer.label]
        for stage in stages:
            lines.append(f"  {names[stage.id]} ({_said(stage)})")
            lines += [f"    {arrow} {name}" for name in sorted(after[stage.id])]
    return "\n".join(lines) + "\n"


def _summary(pipeline: PipelineFacts, names: dict[str, str], audit: Audit) -> Iterator[tuple[str, str]]:
    score = "not scored" if pipeline.score is None else f"{pipeline.score:.1f} of 100"
    coverage = "nothing to judge" if pipeline.coverage is None else f"coverage {pipeline.coverage:.0f} %"
    yield "Score", f"{score}, {coverage}"
    yield "Set off by", ", ".join(pipeline.triggers) or "nothing that was found"
    yield "Enters at", ", ".join(names[id_] for id_ in pipeline.entries)
    if pipeline.weakest:
        resource = audit.resources.get(pipeline.weakest)
        yield (
            "Weakest",
            names.get(pipeline.weakest) or visible(resource.name if resource else pipeline.weakest),
        )
    yield "Blast", f"{names[pipeline.blast]}: {count(pipeline.blast_reach, 'stage')} stop with it"
    for loop in pipeline.loops:
        yield "Loop", ", ".join(names[id_] for id_ in loop)
    if pipeline.unread:
        yield "Unread", f"{count(len(pipeline.unread), 'reading')} missing: there may be more of it"


def _said(stage: Stage) -> str:
    words = [drawing.type_words(stage.type)]
    if stage.state in drawing.STATES:
        words.append(drawing.STATES[stage.state])
    if stage.worst:
        words.append(f"{stage.failing} failing, {stage.worst}")
    if stage.shared:
        words.append("shared")
    return ", ".join(words)
