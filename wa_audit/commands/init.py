"""`wa-audit init`: a configuration to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from wa_audit import flags


@click.command(epilog=flags.EXIT_CODES)
@flags.option("--pyproject", once=True, is_flag=True, help="Append it to the pyproject.toml that is here.")
@flags.common
def init(pyproject: bool) -> None:
    """Write a commented configuration, wa-audit.toml, into the current folder.

    It holds for this folder and those below: every option, rule, weight and question, commented out.
    """
    from wa_audit import config, rulebook, settings, tomlfile
    from wa_audit.files import write_atomically
    from wa_audit.model import ConfigurationError

    # A link to a pyproject.toml stays one.
    path = Path(config.PYPROJECT).resolve() if pyproject else Path(config.FILE)
    above = config.TABLE if pyproject else ()
    before, mode = b"", None
    if pyproject:
        if tomlfile.read(path, *above) is not None:
            raise ConfigurationError(f"{path}: holds a [{'.'.join(above)}] already")
        before, mode = path.read_bytes().rstrip(b"\n") + b"\n\n", path.stat().st_mode
    elif path.exists():
        raise ConfigurationError(f"{path}: is there already; 'wa-audit config' prints what is in force")
    write_atomically(path, [before, settings.template(rulebook.load(), *above).encode()])
    if mode is not None:
        path.chmod(mode)
    click.echo(path)
