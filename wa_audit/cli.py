"""The command line. Thin: it wires the stages, and turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from wa_audit import __version__, flags

if TYPE_CHECKING:
    from wa_audit.collect.plan import Plan
    from wa_audit.collect.session import AwsSession
    from wa_audit.inventory import Inventory
    from wa_audit.report.audit import Audit
    from wa_audit.rulebook import Rulebook

INTERRUPTED = 130
INTERNAL = 3
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@click.group(epilog=flags.EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wa-audit", message="%(prog)s %(version)s")
@flags.verbose
def cli() -> None:
    """Lighthouse for AWS data pipelines: a scored Well-Architected audit of a live account.

    Read-only. 'wa-audit demo' shows what it does without an account.
    """


# -- whole runs ------------------------------------------------------------------------------------


@cli.command(epilog=flags.EXIT_CODES)
@flags.connection
@flags.paid
@flags.dry_run
@flags.resume
@flags.metrics
@flags.rulebook
@flags.tag
@flags.results
@flags.gates
@flags.verbose
def scan(
    tags: Sequence[str],
    output: Path,
    formats: Sequence[str],
    fail_on: str | None,
    min_score: float | None,
    strict: bool,
    no_progress: bool,
    resume: bool,
    dry_run: bool,
    metrics_days: int,
    no_metrics: bool,
    **options: Any,
) -> None:
    """Audit an account: read it, judge it, score it, and write the reports."""
    from wa_audit import files

    book = _rulebook(options)
    wanted = _tags(tags)
    whole = _plan(book, wanted)
    plan = _affordable(whole, options, no_metrics)
    if dry_run:
        _forecast(plan, whole, options)
        return
    files.check_writable(output)
    workers = options["workers"]
    session, regions = _connect(**options)
    run = _Run(workers, no_progress, resume, output / "inventory.jsonl", metrics_days)
    inventory = _collect(session, plan, regions, run)
    audit = _assess(inventory, book, wanted)
    _deliver(audit, formats, output)
    _end(audit, fail_on, min_score, strict)


@cli.command(epilog=flags.EXIT_CODES)
@flags.rulebook
@flags.results
@flags.gates
@flags.no_progress
@flags.verbose
def demo(
    output: Path,
    formats: Sequence[str],
    fail_on: str | None,
    min_score: float | None,
    strict: bool,
    no_progress: bool,
    **options: Any,
) -> None:
    """Audit an embedded account: a small company's data platform, partly well built, partly not."""
    from wa_audit import demo as embedded
    from wa_audit import files

    book = _rulebook(options)
    files.check_writable(output)
    click.echo("Setting up the embedded account …", err=True)
    with embedded.account() as (session, regions):
        inventory = _collect(session, _plan(book, {}), regions, _Run(16, no_progress))
    audit = _assess(inventory, book, {})
    _deliver(audit, formats, output)
    _end(audit, fail_on, min_score, strict)


# -- the stages alone ------------------------------------------------------------------------------


@cli.command(epilog=flags.EXIT_CODES)
@flags.connection
@flags.paid
@flags.dry_run
@flags.resume
@flags.metrics
@flags.rulebook
@flags.inventory_file
@flags.verbose
def collect(
    output: Path,
    no_progress: bool,
    resume: bool,
    dry_run: bool,
    metrics_days: int,
    no_metrics: bool,
    **options: Any,
) -> None:
    """Read an account into an inventory file, to be judged later."""
    from wa_audit import files
    from wa_audit import inventory as inventories
    from wa_audit.report import unread

    book = _rulebook(options)
    # Tags are read too, so that 'assess --tag' has what it needs.
    whole = _plan(book, {"": ""})
    plan = _affordable(whole, options, no_metrics)
    if dry_run:
        _forecast(plan, whole, options)
        return
    files.check_replaceable(output)
    workers = options["workers"]
    session, regions = _connect(**options)
    run = _Run(workers, no_progress, resume, output, metrics_days)
    inventory = _collect(session, plan, regions, run)
    inventories.write(inventory, output)
    click.echo(f"{output}: {len(inventory)} resources, {inventory.run.calls} calls")
    if words := unread.of_inventory(inventory):
        click.echo(words)
    if not inventory.run.complete:
        _fail_expired()


@cli.command(epilog=flags.EXIT_CODES)
@click.argument("inventory", type=click.Path(path_type=Path))
@flags.rulebook
@flags.tag
@flags.results
@flags.gates
@flags.verbose
def assess(
    inventory: Path,
    tags: Sequence[str],
    output: Path,
    formats: Sequence[str],
    fail_on: str | None,
    min_score: float | None,
    strict: bool,
    **options: Any,
) -> None:
    """Judge an inventory file, without AWS."""
    from wa_audit import inventory as inventories

    book = _rulebook(options)
    audit = _assess(inventories.read(inventory), book, _tags(tags))
    _deliver(audit, formats, output)
    _end(audit, fail_on, min_score, strict)


@cli.command(epilog=flags.EXIT_CODES)
@click.argument("audit", type=click.Path(path_type=Path))
@flags.reports
@flags.verbose
def report(audit: Path, output: Path, formats: Sequence[str]) -> None:
    """Make reports of an audit.json."""
    from wa_audit import report as reports
    from wa_audit.report import audit as audits

    for path in reports.write(audits.read(audit), formats, output):
        click.echo(path)


# -- the rulebook ----------------------------------------------------------------------------------


@cli.group("rules", invoke_without_command=True)
@flags.rulebook
@flags.as_json
@click.pass_context
def rules_(
    context: click.Context,
    /,
    as_json: bool,
    **options: Any,
) -> None:
    """List the rulebook, or explain one rule of it."""
    from wa_audit.report import rules as listing

    context.obj = _rulebook(options)
    if context.invoked_subcommand is None:
        click.echo(listing.as_json(context.obj) if as_json else listing.as_table(context.obj))


@rules_.command("show")
@click.argument("rule", shell_complete=flags.complete_rules)
@click.pass_obj
def show_rule(book: Rulebook, rule: str) -> None:
    """Explain one rule: why, how it judges, what it reads, the fix, the best practices."""
    from wa_audit.report import rules as listing

    click.echo(listing.explain(book[rule]))


@cli.command("iam-policy")
@flags.policy_format
@flags.paid
@flags.rulebook
@flags.no_metrics
def iam_policy(form: str, no_metrics: bool, **options: Any) -> None:
    """Print the IAM policy that the selected rules need, and no more.

    As a policy in JSON, as a CloudFormation template that can also make a read-only role for another account,
    or as Terraform. Where the actions do not fit into one managed policy there are several: in JSON, a list.
    """
    from wa_audit.collect import permissions, plan, policyforms

    book = _rulebook(options)
    made = _affordable(_plan(book, {"": ""}), options, no_metrics)
    operations = plan.operations(made)
    click.echo(policyforms.FORMS[form](permissions.policies(operations)))


@cli.command(epilog=flags.DOCTOR_EXIT_CODES)
@flags.connection
@flags.paid
@flags.rulebook
@flags.as_json
@flags.verbose
def doctor(no_progress: bool, as_json: bool, **options: Any) -> None:
    """See whether an audit can run: credentials, clock, regions, permissions, versions, data.

    Each list that the selected rules need is asked for one page, and each detail of one resource, where there
    is one: in the first region, and where the global services answer.
    """
    from wa_audit.collect import doctor as doctors
    from wa_audit.collect.session import connect
    from wa_audit.console import progress, wanted

    book = _rulebook(options)
    plan = _affordable(_plan(book, {"": ""}), options)
    _check_connection(options)
    named, everywhere = options.pop("regions"), options.pop("all_regions")
    with progress(wanted(no_progress, sys.stderr)) as on_wait:
        checks = doctors.examine(
            plan,
            connect=lambda: connect(region=named[0] if named else None, **options),
            regions=named,
            all_regions=everywhere,
            workers=options["workers"],
            on_wait=on_wait,
        )
    click.echo(doctors.as_json(checks) if as_json else doctors.as_text(checks))
    if code := doctors.exit_code(checks):
        raise click.exceptions.Exit(code)


# -- wiring ----------------------------------------------------------------------------------------


def _rulebook(options: dict[str, Any]) -> Rulebook:
    """The rulebook that the rulebook's options ask for; takes them out of `options`."""
    from wa_audit import rulebook
    from wa_audit.collect import plan

    book = rulebook.load(
        overlays=options.pop("overlays"), folders=options.pop("folders"), plugins=options.pop("plugins")
    )
    plan.plan(book.rules)  # refuses a rule that asks for what no kind reads
    return book.select(
        pillars=options.pop("pillars"), rules=options.pop("rules"), severities=options.pop("severities")
    )


def _tags(given: Sequence[str]) -> dict[str, str]:
    wanted = {}
    for tag in given:
        key, equals, value = tag.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{tag!r} is not KEY=VALUE", param_hint="--tag")
        wanted[key] = value
    return wanted


def _plan(book: Rulebook, tags: dict[str, str]) -> Plan:
    from wa_audit.collect import plan

    return plan.plan(book.rules, plan.tag_reads(book.rules) if tags else ())


def _affordable(whole: Plan, options: dict[str, Any], no_metrics: bool = False) -> Plan:
    """The plan without the paid calls that were not asked for; takes their options out of `options`."""
    from wa_audit.collect import plan

    cost, no_paid_calls = options.pop("cost"), options.pop("no_paid_calls")
    if cost and no_paid_calls:
        raise click.UsageError("--cost and --no-paid-calls exclude each other")
    made = plan.affordable(whole, paid_calls=not no_paid_calls, cost=cost)
    return plan.without_metrics(made) if no_metrics else made


def _forecast(plan: Plan, whole: Plan, options: dict[str, Any]) -> None:
    from wa_audit.collect import forecast
    from wa_audit.collect import session as sessions

    _check_connection(options)
    regions: list[str] | None = None
    if not options["all_regions"]:
        regions = list(dict.fromkeys(options["regions"])) or [sessions.own_region(options["profile"])]
    click.echo(forecast.text(plan, whole, regions, role=bool(options["role_arn"])))


def _check_connection(options: dict[str, Any]) -> None:
    """Sees that the options of a connection go together, and that the regions exist."""
    from wa_audit.collect import session as sessions

    if options["external_id"] and not options["role_arn"]:
        raise click.UsageError("--external-id goes with --role-arn")
    if options["regions"] and options["all_regions"]:
        raise click.UsageError("--region and --all-regions exclude each other")
    if not options["endpoint_url"]:
        for region in options["regions"]:
            sessions.known_region(region)


def _connect(
    *, regions: Sequence[str], all_regions: bool, workers: int, **connection: Any
) -> tuple[AwsSession, list[str]]:
    from wa_audit.collect import session as sessions

    _check_connection({"regions": regions, "all_regions": all_regions, **connection})
    first = regions[0] if regions else None
    session = sessions.connect(region=first, workers=workers, **connection)
    return session, sessions.chosen_regions(session, regions, all_regions=all_regions)


class _Run(NamedTuple):
    """How a collection goes about it. `inventory` is where a stopped run leaves what it has read."""

    workers: int
    no_progress: bool
    resume: bool = False
    inventory: Path | None = None
    metrics_days: int = 14

    @property
    def journal(self) -> Path | None:
        return self.inventory and self.inventory.with_name(f"{self.inventory.name}.partial")


def _collect(session: AwsSession, plan: Plan, regions: Sequence[str], run: _Run) -> Inventory:
    from wa_audit import collect as collecting
    from wa_audit import inventory as inventories
    from wa_audit.console import progress, wanted
    from wa_audit.model import InterruptedRunError

    try:
        with progress(wanted(run.no_progress, sys.stderr)) as on_wait:
            return collecting.collect(
                session,
                plan,
                regions,
                workers=run.workers,
                metrics_days=run.metrics_days,
                journal=run.journal,
                resume=run.resume,
                on_wait=on_wait,
            )
    except collecting.Interrupted as stopped:
        if run.inventory is None:
            raise InterruptedRunError("interrupted; nothing was written") from None
        inventories.write(stopped.inventory, run.inventory)
        raise InterruptedRunError(
            f"interrupted; {run.inventory} holds what was read, and --resume goes on from there"
        ) from None


def _assess(inventory: Inventory, book: Rulebook, tags: dict[str, str]) -> Audit:
    from wa_audit import assess as assessor
    from wa_audit.report import audit as audits
    from wa_audit.score import score

    findings = list(assessor.assess(inventory, book, tags))
    return audits.build(inventory, book, findings, score(findings, book))


def _deliver(audit: Audit, formats: Sequence[str], output: Path) -> None:
    from rich.console import Console

    from wa_audit import report as reports
    from wa_audit.report import terminal

    paths = reports.write(audit, formats, output)
    terminal.show(audit, Console(highlight=False))
    click.echo("\nWrote " + ", ".join(map(str, paths)))


def _end(audit: Audit, fail_on: str | None, min_score: float | None, strict: bool) -> None:
    """Ends the program with the exit code that the audit and the gates give."""
    from wa_audit.model import Status

    if not audit.run.complete:
        _fail_expired()
    gate = flags.SEVERITIES[: flags.SEVERITIES.index(fail_on) + 1] if fail_on else ()
    failed = sum(1 for f in audit.findings if f.status is Status.FAIL and f.severity in gate)
    if failed:
        _end_with(1, f"findings that fail at {fail_on} or worse: {failed} (--fail-on)")
    found = audit.overall.score
    if min_score is not None and (found is None or found < min_score):
        words = "no score could be given" if found is None else f"the score is {found}"
        _end_with(1, f"{words}, --min-score is {min_score:g}")
    undecided = sum(1 for f in audit.findings if f.status in (Status.NOT_EVALUATED, Status.ERROR))
    if strict and undecided:
        _end_with(4, f"findings that could not be evaluated: {undecided} (--strict)")


def _fail_expired() -> NoReturn:
    from wa_audit.model import CredentialsError

    raise CredentialsError("the AWS credentials expired during the run; what was read until then is kept")


def _end_with(code: int, words: str) -> NoReturn:
    _say(words)
    raise click.exceptions.Exit(code)


def _say(words: str) -> None:
    from wa_audit.text import visible

    click.echo(f"wa-audit: {visible(words)}", err=True)


def main() -> NoReturn:
    """The program: runs a command, and turns every error into one line on stderr and an exit code."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.CRITICAL)
    logging.getLogger("wa_audit").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = _run()
    if code == INTERRUPTED:
        # Calls that are under way are not waited for.
        os._exit(code)
    sys.exit(code)


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
        _say("interrupted; nothing was written")
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        _say(error.format_message().replace("\n", " "))
        return 2
    except WaAuditError as error:
        _say(str(error))
        return error.exit_code
    except OSError as error:
        if error.errno not in _FULL:
            return _internal(error)
        _say(f"output could not be written: {error.strerror}")
        return OutputError.exit_code
    except Exception as error:
        return _internal(error)


def _internal(error: Exception) -> int:
    verbose = logging.getLogger("wa_audit").isEnabledFor(logging.INFO)
    if verbose:
        logging.getLogger("wa_audit").exception("internal error")
    hint = "" if verbose else "; run with -v for its trace"
    words = next(iter(str(error).splitlines()), "")
    _say(f"internal error: {type(error).__name__}: {words}{hint}")
    return INTERNAL


if __name__ == "__main__":
    main()
