"""`wa-audit pipelines`: the data flows of an audit, listed and drawn."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from wa_audit import flags

if TYPE_CHECKING:
    from wa_audit.report.audit import Audit


class _Asked(NamedTuple):
    audit: Path


@click.group(invoke_without_command=True, epilog=flags.EXIT_CODES)
@flags.audit_file
@flags.as_json
@flags.verbose
@click.pass_context
def pipelines(context: click.Context, audit: Path, as_json: bool) -> None:
    """List the pipelines of an audit.json, or draw one of them.

    A pipeline is what data flows through: found from configuration, cut where a place is merely shared.
    """
    context.obj = _Asked(audit)
    if context.invoked_subcommand is not None:
        return
    import msgspec

    found = _read(audit)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found.pipelines, order="sorted"), indent=1))
        return
    from rich.console import Console

    from wa_audit.report import terminal

    terminal.show_pipelines(found, Console(highlight=False))


@pipelines.command("show")
@click.argument("name")
@flags.drawing_form
@flags.drawing_file
@click.pass_obj
def show(asked: _Asked, name: str, form: str, output: Path | None) -> None:
    """Draw one pipeline: as text, SVG, DOT for Graphviz, Mermaid for Markdown, or JSON."""
    import msgspec

    from wa_audit.files import write_atomically
    from wa_audit.model import ConfigurationError
    from wa_audit.report import drawing, graphs
    from wa_audit.text import unknown

    audit = _read(asked.audit)
    pipeline = next((p for p in audit.pipelines if p.name == name), None)
    if pipeline is None:
        known = [p.name for p in audit.pipelines]
        raise ConfigurationError(f"{asked.audit}: {unknown('pipeline', name, known)}")
    if form == "svg":
        made = drawing.svg(drawing.draw(pipeline), title=pipeline.name, style=drawing.STYLE) + "\n"
    elif form == "json":
        made = msgspec.json.format(msgspec.json.encode(pipeline, order="sorted"), indent=1).decode() + "\n"
    elif form == "text":
        unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        made = graphs.as_text(pipeline, audit, arrow="→" if unicode else "->")
    else:
        made = graphs.as_dot(pipeline) if form == "dot" else graphs.as_mermaid(pipeline)
    if output is None:
        click.echo(made, nl=False)
    else:
        write_atomically(output, [made.encode()])
        click.echo(output)


def _read(path: Path) -> Audit:
    from wa_audit.report import audit as audits

    return audits.read(path)
