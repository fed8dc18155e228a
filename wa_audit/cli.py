"""The command line: mounts the commands, and turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

import click

from wa_audit import __version__, console, flags, wiring
from wa_audit.commands import Commands
from wa_audit.memory import seldom_collected

INTERRUPTED = 130
INTERNAL = 3
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)

COMMANDS = {
    "assess": "wa_audit.commands.assess",
    "baseline": "wa_audit.commands.baseline",
    "collect": "wa_audit.commands.collect",
    "config": "wa_audit.commands.config",
    "demo": "wa_audit.commands.demo",
    "diff": "wa_audit.commands.diff",
    "doctor": "wa_audit.commands.doctor",
    "iam-policy": "wa_audit.commands.iam_policy",
    "init": "wa_audit.commands.init",
    "org": "wa_audit.commands.org",
    "pipelines": "wa_audit.commands.pipelines",
    "prices": "wa_audit.commands.prices",
    "report": "wa_audit.commands.report",
    "rules": "wa_audit.commands.rules",
    "scan": "wa_audit.commands.scan",
    "trend": "wa_audit.commands.trend",
}


@click.group(
    cls=Commands,
    modules=COMMANDS,
    epilog=flags.EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="wa-audit", message="%(prog)s %(version)s")
@flags.common
def cli() -> None:
    """Lighthouse for AWS data pipelines: a scored Well-Architected audit of a live account.

    Read-only. 'wa-audit demo' shows what it does without an account.
    """


def main() -> NoReturn:
    """The program: runs a command, and turns every error into one line on stderr and an exit code."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.CRITICAL)
    logging.getLogger("wa_audit").setLevel(logging.ERROR)
    for stream in (sys.stdout, sys.stderr):
        console.speak_plainly(stream)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with seldom_collected():
        _leave(_run())


def _leave(code: int) -> NoReturn:
    """Ends the process at once. Calls that are under way are not waited for, and what a run has made is not
    taken apart piece by piece, which takes longer than to write it down."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # What could not be written has been told where it was written.
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run() -> int:
    from wa_audit.model import OutputError, WaAuditError

    stdout = sys.stdout
    try:
        code = int(cli.main(prog_name="wa-audit", standalone_mode=False) or 0)
        sys.stdout.flush()
        return code
    except SystemExit as end:
        # Where the reader of our output has gone away, which is its right, click puts in a quiet stream.
        return 0 if sys.stdout is not stdout else int(end.code or 0)
    except (KeyboardInterrupt, click.Abort):
        wiring.say("interrupted; nothing was written")
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        wiring.say(error.format_message().replace("\n", " "))
        return 2
    except WaAuditError as error:
        wiring.say(str(error))
        return error.exit_code
    except OSError as error:
        if error.errno not in _FULL:
            return _internal(error)
        wiring.say(f"output could not be written: {error.strerror}")
        return OutputError.exit_code
    except Exception as error:
        return _internal(error)


def _internal(error: Exception) -> int:
    verbose = logging.getLogger("wa_audit").isEnabledFor(logging.INFO)
    if verbose:
        logging.getLogger("wa_audit").exception("internal error")
    hint = "" if verbose else "; run with -v for its trace"
    words = next(iter(str(error).splitlines()), "")
    wiring.say(f"internal error: {type(error).__name__}: {words}{hint}")
    return INTERNAL


if __name__ == "__main__":
    main()
