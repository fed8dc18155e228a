"""`wa-audit pipelines`: the data flows of an audit, listed and drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wa_audit import flags, wiring


@click.group(invoke_without_command=True, epilog=flags.EXIT_CODES)
@flags.audit_file
@flags.as_json
@flags.common
@click.pass_context
def pipelines(context: click.Context, audit: Path, as_json: bool) -> None:
    """List the pipelines of an audit.json, or draw one of them.

    A pipeline is what data flows through: found from configuration, cut where a place is merely shared.
    """
    context.obj = audit
    if context.invoked_subcommand is not None:
        return
    from wa_audit.report import audit as audits

    found = audits.read(audit)
    if as_json:
        from wa_audit.report import indented

        click.echo(indented.as_json(found.pipelines), nl=False)
        return
    from rich.console import Console

    from wa_audit.report import terminal

    terminal.show_pipelines(found, Console(highlight=False))


@pipelines.command("show")
@click.argument("name")
@flags.drawing_form
@flags.drawing_file
@flags.common
@click.pass_obj
def show(file: Path, name: str, form: str, output: Path | None) -> None:
    """Draw one pipeline: as text, SVG, DOT for Graphviz, Mermaid for Markdown, or JSON."""
    from wa_audit.model import ConfigurationError
    from wa_audit.report import audit as audits
    from wa_audit.report import drawing, graphs, indented
    from wa_audit.text import unknown

    audit = audits.read(file)
    pipeline = next((p for p in audit.pipelines if p.name == name), None)
    if pipeline is None:
        known = [p.name for p in audit.pipelines]
        raise ConfigurationError(f"{file}: {unknown('pipeline', name, known)}")
    made: str | bytes
    if form == "svg":
        made = drawing.svg(drawing.draw(pipeline), title=pipeline.name, style=drawing.STYLE) + "\n"
    elif form == "json":
        made = indented.as_json(pipeline)
    elif form == "text":
        unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        made = graphs.as_text(pipeline, audit, arrow="→" if unicode else "->")
    else:
        made = graphs.as_dot(pipeline) if form == "dot" else graphs.as_mermaid(pipeline)
    wiring.hand_over(made, output)
