"""The stages wired together: what several commands do alike, from options to exit codes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from wa_audit import flags
from wa_audit.text import key_value

if TYPE_CHECKING:
    from wa_audit.aws.prices import Table
    from wa_audit.collect.plan import Plan
    from wa_audit.collect.securityhub import Failure
    from wa_audit.collect.session import AwsSession
    from wa_audit.inventory import Inventory
    from wa_audit.questions import Answer
    from wa_audit.report.audit import Audit
    from wa_audit.report.baseline import Baseline
    from wa_audit.rulebook import Rulebook
    from wa_audit.stores import Store
    from wa_audit.suppressions import Entry
    from wa_audit.tomlfile import Document


def load_rulebook(options: dict[str, Any], configured: Document | None = None) -> Rulebook:
    """The rulebook that the rulebook's options ask for; takes them out of `options`. `configured` is the
    configuration's document where no command runs that knows of one."""
    from wa_audit import rulebook
    from wa_audit.collect import plan

    book = rulebook.load(
        overlays=options.pop("overlays"),
        folders=options.pop("folders"),
        plugins=options.pop("plugins"),
        configuration=configured or flags.configuration().document,
    )
    plan.plan(book.rules)  # refuses a rule that asks for what no kind reads
    return book.select(
        pillars=options.pop("pillars"), rules=options.pop("rules"), severities=options.pop("severities")
    )


def parse_tags(given: Sequence[str], flag: str = "--tag") -> dict[str, str]:
    """`KEY=VALUE`, as a flag takes it, by key."""
    wanted: dict[str, str] = {}
    for tag in given:
        pair = key_value(tag)
        if pair is None:
            raise click.BadParameter(f"{tag!r} is not KEY=VALUE", param_hint=flag)
        wanted.update([pair])
    return wanted


def make_plan(book: Rulebook, *, tags: bool, flows: bool = True) -> Plan:
    """What a rulebook needs to be read; with `tags`, of whatever it judges the tags too; with `flows`, also
    what pipelines are found by, unless the rulebook was cut down to a part: then neither these nor spend."""
    from wa_audit.collect import plan

    extra = set(plan.tag_reads(book.rules)) if tags else set()
    if flows and not book.is_part:
        extra |= plan.flow_reads() | plan.spend_reads()
    return plan.plan(book.rules, sorted(extra))


def affordable(whole: Plan, options: dict[str, Any], no_metrics: bool = False) -> Plan:
    """The plan without the calls that cost money or run SQL, and were not asked for; takes their options out
    of `options`."""
    from wa_audit.collect import plan

    cost, no_paid_calls = options.pop("cost"), options.pop("no_paid_calls")
    if cost and no_paid_calls:
        raise click.UsageError("--cost and --no-paid-calls exclude each other")
    made = plan.affordable(
        whole, paid_calls=not no_paid_calls, cost=cost, redshift_sql=options.pop("redshift_sql")
    )
    return plan.without_metrics(made) if no_metrics else made


def show_forecast(plan: Plan, whole: Plan, options: dict[str, Any]) -> None:
    """Prints what a run would call, and calls nothing."""
    from wa_audit.collect import forecast
    from wa_audit.collect import plan as plans
    from wa_audit.collect import session as sessions

    check_connection(options)
    regions: list[str] | None = None
    if not options["all_regions"]:
        regions = list(dict.fromkeys(options["regions"])) or [sessions.own_region(options["profile"])]
        partition = sessions.partition_of(regions[0])
        plan, whole = plans.offered(plan, partition), plans.offered(whole, partition)
    click.echo(forecast.text(plan, whole, regions, role=bool(options["role_arn"])))


def check_connection(options: dict[str, Any]) -> None:
    """Sees that the options of a connection go together, and that the regions exist."""
    from wa_audit.collect import session as sessions

    if options["external_id"] and not options["role_arn"]:
        raise click.UsageError("--external-id goes with --role-arn")
    if options["regions"] and options["all_regions"]:
        raise click.UsageError("--region and --all-regions exclude each other")
    if not options["endpoint_url"]:
        for region in options["regions"]:
            sessions.known_region(region)


def connect(
    *, regions: Sequence[str], all_regions: bool, workers: int, **connection: Any
) -> tuple[AwsSession, list[str]]:
    """A guarded session, and the regions to read."""
    from wa_audit.collect import session as sessions

    check_connection({"regions": regions, "all_regions": all_regions, **connection})
    first = regions[0] if regions else None
    session = sessions.connect(region=first, workers=workers, **connection)
    return session, sessions.chosen_regions(session, regions, all_regions=all_regions)


class Gathering(NamedTuple):
    """How a collection goes about it. `inventory` is where a stopped run leaves what it has read, `processes`
    the most that read at once."""

    workers: int
    no_progress: bool
    resume: bool = False
    inventory: Path | None = None
    metrics_days: int = 14
    processes: int = 1

    @property
    def journal(self) -> Path | None:
        return self.inventory and self.inventory.with_name(f"{self.inventory.name}.partial")


def read_account(session: AwsSession, plan: Plan, regions: Sequence[str], run: Gathering) -> Inventory:
    """Collects, showing progress; what a stopped run has read is written first.

    Raises:
        InterruptedRunError: the user stopped the run.
    """
    from wa_audit import collect as collecting
    from wa_audit import inventory as inventories
    from wa_audit.collect import sharing
    from wa_audit.console import progress, wanted
    from wa_audit.model import InterruptedRunError

    try:
        with progress(wanted(run.no_progress, sys.stderr)) as on_wait:
            return collecting.collect(
                session,
                plan,
                regions,
                workers=run.workers,
                processes=sharing.number(run.processes, run.workers),
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


class Judging(NamedTuple):
    """What is judged, and what is looked past."""

    tags: dict[str, str]
    suppressions: list[Entry]
    baseline: tuple[Path, Baseline] | None
    pipeline: str
    pipeline_tag: str
    prices: Table
    answers: Mapping[str, Answer] = MappingProxyType({})

    @property
    def looks_at_tags(self) -> bool:
        return bool(self.tags) or any(entry.tag for entry in self.suppressions)

    @property
    def narrowed_to(self) -> list[str]:
        """What of the account is judged, where it is not all: `tag team=data`, `pipeline orders`."""
        words = [f"tag {name}={value}" for name, value in sorted(self.tags.items())]
        return [*words, f"pipeline {self.pipeline}"] if self.pipeline else words

    @classmethod
    def of_everything(cls) -> Judging:
        """The whole account by the bundled prices, with nothing looked past."""
        from wa_audit.aws import prices

        return cls({}, [], None, "", "pipeline", prices.bundled())

    @classmethod
    def of(cls, options: dict[str, Any]) -> Judging:
        """What the options ask for; takes them out of `options`.

        Raises:
            ConfigurationError: a file of suppressions or prices, the baseline, or an answer in the
                configuration is not what it should be.
        """
        from wa_audit import pricefile, questions, suppressions
        from wa_audit.report import baseline as baselines

        tags = parse_tags(options.pop("tags"))
        path: Path | None = options.pop("baseline")
        # Read before a long run, and not again after it.
        baseline = (path, baselines.read(path)) if path else None
        accepted = suppressions.read(options.pop("suppressions"))
        pipeline, pipeline_tag = options.pop("pipeline"), options.pop("pipeline_tag")
        table = pricefile.in_force(options.pop("prices"))
        answers = questions.read(flags.configuration().document)
        return cls(tags, accepted, baseline, pipeline, pipeline_tag, table, answers)


def assess(inventory: Inventory, book: Rulebook, judging: Judging) -> Audit:
    """Judges and scores an inventory, and finds its pipelines.

    Raises:
        ConfigurationError: the pipeline that was asked for is not there.
    """
    from wa_audit.memory import never_collected

    with never_collected():
        return _assess(inventory, book, judging)


def _assess(inventory: Inventory, book: Rulebook, judging: Judging) -> Audit:
    import datetime

    from wa_audit import assess as assessor
    from wa_audit import pipelines, questions, suppressions
    from wa_audit.relations import relate
    from wa_audit.report import audit as audits
    from wa_audit.report import baseline as baselines

    related = relate(inventory)
    flow = pipelines.of(related, tag=judging.pipeline_tag)
    if judging.pipeline:
        flow = flow.only(judging.pipeline)
    day = datetime.date.fromisoformat(inventory.run.started[:10] or "1970-01-01")
    accepted = suppressions.Suppressions(judging.suppressions, day)
    judged = assessor.assess(related, book, judging.tags, judging.prices)
    if judging.pipeline:
        reach = flow.pipelines[0].reach
        judged = (finding for finding in judged if finding.arn in reach)
    audit = audits.build(
        related,
        book,
        accepted.apply(judged, related),
        only=judging.narrowed_to,
        suppressions=accepted,
        flow=flow,
        questions=() if judging.narrowed_to else questions.of(book, judging.answers),
        price_table=judging.prices,
    )
    related.forget_derived()
    if judging.baseline is None:
        return audit
    path, known = judging.baseline
    baselines.check_account(known, path, audit.run.account)
    return audits.with_baseline(audit, known.made, known.findings)


def check_output(formats: Sequence[str], output: Path) -> None:
    """Sees, before any work is done, that the reports can be written.

    Raises:
        OutputError: the folder cannot be made, or not be written to.
        ConfigurationError: a format needs an extra that is not installed.
    """
    from wa_audit import files
    from wa_audit import report as reports

    reports.check(formats)
    files.check_writable(output)


def open_history(options: dict[str, Any]) -> Store | None:
    """Where the run is kept beside its reports, seen to be there; takes `history` out of `options`.

    It is reached with the profile and at the endpoint of `options`, where they have them, without the role.

    Raises:
        OutputError, ConfigurationError, CredentialsError: it cannot be written to.
    """
    place = options.pop("history")
    if place is None:
        return None
    from wa_audit import report as reports
    from wa_audit import stores

    reports.need("parquet", "--history")
    store = stores.at(place, profile=options.get("profile"), endpoint_url=options.get("endpoint_url"))
    store.check()
    return store


def beside(audit: Audit, history: Store) -> Audit:
    """The audit with the runs of its account that the history holds; without them where it cannot be read."""
    from wa_audit.model import ConfigurationError, CredentialsError
    from wa_audit.report import audit as audits
    from wa_audit.report import history as kept
    from wa_audit.report import trend

    try:
        own = history.keys(f"{kept.RUNS}/account_id={audit.run.account}")
        keys = trend.wanted(own, [audit.run.account])
        last = history.read(keys[-audits.MOST_EARLIER :])
        before = trend.earlier(last, history.place, ", ".join(audit.run.only))
    except (ConfigurationError, CredentialsError) as error:
        say(f"the report shows no earlier runs: {error}")
        return audit
    return audits.with_earlier(audit, before)


def keep(audit: Audit, history: Store) -> None:
    """Writes the run to the history. Raises OutputError, ConfigurationError or CredentialsError."""
    from wa_audit.report import history as kept

    for key, chunks in kept.files(audit):
        history.write(key, chunks)
    click.echo(f"Kept in {history.place}")


def deliver(audit: Audit, formats: Sequence[str], output: Path, history: Store | None = None) -> None:
    """Writes the reports, shows the scorecard, and keeps the run where `history` is given."""
    from rich.console import Console

    from wa_audit import report as reports
    from wa_audit.report import terminal

    if history is not None:
        audit = beside(audit, history)
    paths = reports.write(audit, formats, output)
    terminal.show(audit, Console(highlight=False))
    if paths:
        click.echo("\nWrote " + ", ".join(map(str, paths)))
    if history is not None:
        keep(audit, history)


_MOST_LINES = 50  # on stderr, of findings that were not taken for one and the same reason


def send(audit: Audit, session: AwsSession) -> None:
    """Sends the findings to Security Hub, and says of each that was not taken why.

    Raises:
        OutputError: some were not taken.
        ConfigurationError: the credentials are of another account.
    """
    from collections import defaultdict

    from wa_audit.collect import securityhub
    from wa_audit.model import OutputError
    from wa_audit.report import asff

    findings: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in asff.findings(audit):
        findings[finding["ProductArn"].split(":")[3]].append(finding)
    sent = securityhub.send(session, audit.run.account, dict(sorted(findings.items())))
    for region, taken in sent.taken.items():
        click.echo(f"Security Hub in {region} took {taken} of {len(findings[region])} findings")
    if not sent.failures:
        return
    known = {
        f["Id"]: f"{f['GeneratorId']} on {f['Resources'][0]['Id']}" for own in findings.values() for f in own
    }
    for line in _untaken(sent.failures, known):
        say(line)
    raise OutputError(f"Security Hub did not take {len(sent.failures)} findings (--send)")


def _untaken(failures: Sequence[Failure], known: dict[str, str]) -> list[str]:
    """A line for each finding that was not taken; one for all of a region that failed for the same reason."""
    alike: dict[tuple[str, str, str], list[Failure]] = {}
    for failure in failures:
        alike.setdefault((failure.region, failure.code, failure.words), []).append(failure)
    lines = []
    for (region, code, words), own in alike.items():
        why = f"{code}: {words}"
        if len(own) > _MOST_LINES:
            lines.append(f"not sent to Security Hub in {region}: {len(own)} findings; {why}")
        else:
            lines += [f"not sent to Security Hub in {region}: {known.get(f.id, f.id)}; {why}" for f in own]
    return lines


def hand_over(made: str | bytes, output: Path | None) -> None:
    """Writes what was made to a file, and says where; or to the terminal, where no file was named."""
    from wa_audit.files import write_atomically

    if output is None:
        click.echo(made, nl=False)
    else:
        write_atomically(output, [made.encode() if isinstance(made, str) else made])
        click.echo(output)


class Gates(NamedTuple):
    """When a run ends with a code of its own; see the options' help."""

    fail_on: str | None
    max_new: str | None
    min_score: float | None
    strict: bool

    @classmethod
    def of(cls, options: dict[str, Any]) -> Gates:
        """What the gates' options ask for; takes them out of `options`."""
        gates = cls(*(options.pop(name) for name in cls._fields))
        if gates.max_new and not options["baseline"]:
            raise click.UsageError("--max-new goes with --baseline: without one nothing is known to be old")
        return gates


def end(audit: Audit, gates: Gates) -> None:
    """Ends the program with the exit code that the audit and the gates give."""
    from wa_audit.model import Status
    from wa_audit.report.findings import outcomes

    if not audit.run.complete:
        fail_expired()
    worst = flags.SEVERITIES
    wanted = worst[: worst.index(gates.fail_on) + 1] if gates.fail_on else ()
    gated = bool(gates.fail_on or gates.max_new)
    failing = [f.severity for f in audit.findings if f.status is Status.FAIL and not f.known] if gated else []
    new = "new " if audit.baseline else ""
    if failed := sum(1 for severity in failing if severity in wanted):
        end_with(1, f"{new}findings that fail at {gates.fail_on} or worse: {failed} (--fail-on)")
    if gates.max_new:
        refused = worst if gates.max_new == "none" else worst[: worst.index(gates.max_new)]
        if failed := sum(1 for severity in failing if severity in refused):
            words = "at all" if gates.max_new == "none" else f"worse than {gates.max_new}"
            end_with(1, f"new findings that fail {words}: {failed} (--max-new)")
    found = audit.overall.score
    if gates.min_score is not None and (found is None or found < gates.min_score):
        words = "no score could be given" if found is None else f"the score is {found}"
        end_with(1, f"{words}, --min-score is {gates.min_score:g}")
    if gates.strict:
        open_ = (Status.NOT_EVALUATED, Status.ERROR)
        if undecided := sum(1 for outcome in outcomes(audit.findings) if outcome.status in open_):
            end_with(4, f"findings that could not be evaluated: {undecided} (--strict)")


def fail_expired() -> NoReturn:
    from wa_audit.model import CredentialsError

    raise CredentialsError("the AWS credentials expired during the run; what was read until then is kept")


def end_with(code: int, words: str) -> NoReturn:
    say(words)
    raise click.exceptions.Exit(code)


def say(words: str) -> None:
    from wa_audit.text import visible

    click.echo(f"wa-audit: {visible(words)}", err=True)
