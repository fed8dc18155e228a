"""The command line's options, in bundles, and the texts that all commands share."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from wa_audit import config
from wa_audit.text import unknown

_Command = TypeVar("_Command", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes:
  0    done
  1    a finding at or above --fail-on, or a score under --min-score
  2    usage or configuration
  3    internal error
  4    done but incomplete, with --strict
  5    no credentials, or expired ones
  6    output could not be written
  130  interrupted

Every option can be set in the environment: --fail-on is WA_AUDIT_FAIL_ON; what may be given more than once
is separated by blanks there, and paths by colons. Or in a configuration: see 'wa-audit init'.
"""
ORGANIZATION_EXIT_CODES = """\b
Exit codes:
  0    every account was audited
  2    usage or configuration
  3    internal error
  4    done, but an account was not audited, or not wholly, or a file was passed over
  5    no credentials, or expired ones
  6    output could not be written
  130  interrupted; the same command goes on from there
"""
DOCTOR_EXIT_CODES = """\b
Exit codes:
  0    an audit can run; there may be warnings
  2    usage or configuration: a region that is switched off, an endpoint that nobody answers at
  3    internal error
  4    a permission is missing
  5    no credentials, or expired ones
  130  interrupted
"""
PILLARS = (
    "operational-excellence",
    "security",
    "reliability",
    "performance-efficiency",
    "cost-optimization",
    "sustainability",
)
SEVERITIES = ("critical", "high", "medium", "low", "info")
if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # which is generic from click 8.2 on

FORMATS = (
    "json",
    "html",
    "csv",
    "jsonl",
    "markdown",
    "junit",
    "sarif",
    "ocsf",
    "asff",
    "github",
    "openmetrics",
    "parquet",
)


class Setting(click.Option):
    """An option that a configuration may set too, under the name `key`: that of its environment variable."""

    @property
    def key(self) -> str:
        return _key(self.variables)

    @property
    def variables(self) -> Sequence[str]:
        """The environment variables that may give it, the first before the others."""
        return [self.envvar] if isinstance(self.envvar, str) else self.envvar or []

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        value, source = super().consume_value(ctx, opts)
        if source is ParameterSource.DEFAULT and self.key in SETTINGS and not ctx.resilient_parsing:
            given = configuration(ctx).options
            if self.key in given:
                return given[self.key], ParameterSource.DEFAULT_MAP
        return value, source

    def read(self, value: Any, folder: Path) -> Any:
        """See `wa_audit.config.Option`."""
        if self.is_flag:
            return _typed(value, bool, "is true or false")
        if not self.multiple:
            return self._read_one(value, folder)
        items = _typed(value, list, "is a list")
        return [self._read_one(item, folder) for item in items]

    def _read_one(self, value: Any, folder: Path) -> Any:
        if isinstance(self.type, click.IntRange):
            _typed(value, int, "is a whole number")
        elif isinstance(self.type, click.FloatRange):
            _typed(value, (int, float), "is a number")
            if not math.isfinite(value):
                raise ValueError("is a number")
        else:
            _typed(value, str, "holds texts" if self.multiple else "is a text")
        if isinstance(self.type, click.Path):
            return folder / value
        if isinstance(self.type, click.Choice):
            name, given, path = value.partition("=") if isinstance(self.type, _Format) else (value, "", "")
            if name not in self.type.choices:
                raise ValueError(f"holds the {unknown('value', name, self.type.choices)}")
            value = f"{name}={folder / path}" if given and path else value
        try:
            return self.type.convert(value, None, None)
        except click.BadParameter as error:
            raise ValueError(f"cannot be: {error.message}") from None


def _key(variables: Sequence[str]) -> str:
    return variables[0].removeprefix("WA_AUDIT_").replace("_", "-").lower()


def _typed(value: Any, type_: type | tuple[type, ...], words: str) -> Any:
    """The value, if it is of a type; true and false are no numbers. Raises ValueError with `words`."""
    if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
        raise ValueError(words)
    return value


SETTINGS: dict[str, Setting] = {}
"""What a configuration may set, by name; each as an option whose flag is that name."""

_CONFIG = "wa_audit.config"


def configuration(context: click.Context | None = None) -> config.Config:
    """The configuration of the command that runs; empty where there is none.

    Raises:
        ConfigurationError: it is not what it should be.
    """
    context = context or click.get_current_context(silent=True)
    if context is None:
        return config.Config()
    if _CONFIG not in context.meta:
        file, off = context.meta.get(f"{_CONFIG}.file"), context.meta.get(f"{_CONFIG}.off")
        if file and off:
            raise click.UsageError("--config and --no-config exclude each other")
        document = None if off else config.named(file) if file else config.find(Path())
        context.meta[_CONFIG] = config.of(document, SETTINGS) if document else config.Config()
    found = context.meta[_CONFIG]
    assert isinstance(found, config.Config)
    return found


def option(
    *names: str, env: Sequence[str] = (), once: bool = False, **settings: Any
) -> Callable[[_Command], _Command]:
    """An option with an environment variable: `env`, and the one of its own name.

    A configuration may set it too, unless it is meant for a single run: `once`. So that every command knows all
    that a configuration may hold, options are made in this module.
    """
    long = next(name for name in names if name.startswith("--"))
    variable = "WA_AUDIT_" + long.removeprefix("--").replace("-", "_").upper()
    variables = [*env, variable]
    if not once:
        key = _key(variables)
        SETTINGS.setdefault(key, Setting([f"--{key}"], envvar=variables, **settings))
    return click.option(*names, cls=Setting, envvar=variables, **settings)


def _together(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class _Format(_Choice):
    """A report format, or `format=path` for a file of one's own choosing."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        name, given, path = str(value).partition("=")
        found = super().convert(name, parameter, context)
        if given and not path:
            self.fail(f"{value!r} names no file; give {name}=FILE, or {name} alone", parameter, context)
        return f"{found}={path}" if given else found


def _formats(*default: str) -> Callable[[_Command], _Command]:
    """The choice of report formats."""
    return option(
        "--format",
        "formats",
        multiple=True,
        type=_Format(FORMATS),
        default=default,
        show_default=True,
        help="Report to write, into --output or, as NAME=FILE, elsewhere, as NAME=- to stdout; repeatable.",
    )


def complete_rules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from wa_audit import rulebook

    return [rule.id for rule in rulebook.load().rules if rule.id.startswith(incomplete)]


def _refuse_nan(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """FloatRange lets it through, and no score is under it."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("is not a number", context, parameter)
    return value


as_json = option("--json", "as_json", once=True, is_flag=True, help="As JSON.")
send = option("--send", once=True, type=click.Choice(("securityhub",)), help="Send the findings, after all else, to AWS Security Hub. Written to AWS only because it is asked for.")  # fmt: skip
no_progress = option("--no-progress", is_flag=True, help="Show no progress; there is none either where stderr is no terminal.")  # fmt: skip
profile = option("--profile", metavar="NAME", help="AWS profile; without it, the environment's credentials.")  # fmt: skip
endpoint_url = option("--endpoint-url", metavar="URL", env=["WA_AUDIT_ENDPOINT_URL", "AWS_ENDPOINT_URL"], help="Endpoint of an emulated AWS.")  # fmt: skip
role_arn = option("--role-arn", metavar="ARN", help="Role to assume first.")
external_id = option("--external-id", metavar="ID", help="External id that the role asks for.")
workers = option("--workers", type=click.IntRange(1, 256), default=48, show_default=True, help="Calls under way at once, in each process.")  # fmt: skip
processes = option("--processes", type=click.IntRange(1, 8), default=2, show_default=True, help="Processes that read at once, at most: no more than there are cores, and on Linux alone.")  # fmt: skip
connection = _together(
    profile,
    option("--region", "regions", multiple=True, metavar="REGION", help="Region to read; repeatable. Default: the profile's."),
    option("--all-regions", is_flag=True, help="Read every region that is switched on for the account."),
    role_arn,
    external_id,
    endpoint_url,
    workers,
    no_progress,
)  # fmt: skip
# Where findings are sent from an audit.json: an account's credentials, without what only a reading needs.
sender = _together(send, profile, role_arn, external_id, endpoint_url)
rulebook = _together(
    option("--rules", "overlays", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Overlay: severities, parameters, switched-off rules, rules of your own; repeatable."),
    option("--checks", "folders", multiple=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder of checks of your own, with its rules.yaml; repeatable."),
    option("--plugin", "plugins", multiple=True, metavar="NAME", help="Installed package of checks; repeatable."),
    option("--pillar", "pillars", multiple=True, metavar="PILLAR", shell_complete=lambda c, p, i: [name for name in PILLARS if name.startswith(i)], help="Only this pillar's rules; repeatable."),
    option("--rule", "rules", multiple=True, metavar="RULE", shell_complete=complete_rules, help="Only this rule; repeatable."),
    option("--severity", "severities", multiple=True, type=click.Choice(SEVERITIES), help="Only rules of this severity; repeatable."),
)  # fmt: skip
# What is read only where it is asked for.
asked = _together(
    option("--cost", is_flag=True, help="Ask Cost Explorer too, at 0.01 USD a request."),
    option("--no-paid-calls", is_flag=True, help="Make no call that AWS charges for; what needs one is not evaluated."),
    option("--redshift-sql", is_flag=True, help="Ask Redshift clusters too which external schemas they have, by a SELECT on their own catalog."),
)  # fmt: skip
dry_run = option("--dry-run", once=True, is_flag=True, help="Say what would be called, how often and at what price, and call nothing.")  # fmt: skip
# A name of its own beside --format: the reports' WA_AUDIT_FORMAT means something else.
policy_format = option("--policy-format", "--format", "form", type=click.Choice(("json", "cloudformation", "terraform")), default="json", show_default=True, help="What to print the policy as.")  # fmt: skip
resume = option("--resume", once=True, is_flag=True, help="Take up a run that was stopped, where it stopped.")
no_metrics = option("--no-metrics", is_flag=True, help="Read no CloudWatch metrics; rules that need them are not evaluated.")  # fmt: skip
metrics = _together(
    option("--metrics-days", type=click.IntRange(1, 63), default=14, show_default=True, help="How many days back CloudWatch metrics are read, at 0.01 USD per 1,000."),
    no_metrics,
)  # fmt: skip
prices = option("--prices", type=click.Path(path_type=Path), metavar="FILE", help="Prices to estimate waste by, from 'wa-audit prices refresh'; default: those of your own, and the bundled ones.")  # fmt: skip
price_regions = option("--region", "regions", multiple=True, metavar="REGION", help="Only this region's prices; repeatable.")  # fmt: skip
prices_file = option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", env=["WA_AUDIT_PRICES"], help="Where the prices go; default: where every audit looks for them.")  # fmt: skip
tag = option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Judge only resources that bear this tag; repeatable, all must match.")  # fmt: skip
_folder = option("--output", "-o", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Folder for the results; default: the current one.")  # fmt: skip
inventory_file = option("--output", "-o", type=click.Path(path_type=Path), default=Path("inventory.jsonl"), show_default=True, metavar="FILE", env=["WA_AUDIT_INVENTORY"], help="Where the inventory goes.")  # fmt: skip
results = _together(_folder, _formats("json", "html"))
reports = _together(_folder, _formats("html"))
history = option("--history", metavar="DIR|s3://BUCKET/PREFIX", help="Keep the run there too, for 'wa-audit trend' and dashboards. In AWS, only the bucket named here is written to.")  # fmt: skip
trend_form = option("--trend-format", "--format", "form", type=click.Choice(("text", "json", "html")), default="text", show_default=True, help="What to show the trend as.")  # fmt: skip
trend_file = option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", env=["WA_AUDIT_TREND"], help="File for it; default: the terminal.")  # fmt: skip
organization = option("--output", "-o", "place", default=".", show_default=True, metavar="DIR|s3://BUCKET/PREFIX", env=["WA_AUDIT_ORGANIZATION"], help="Where the accounts' findings go. In AWS, only the bucket named here is written to.")  # fmt: skip
shards_file = option("--output", "-o", type=click.Path(path_type=Path), default=Path("shards.json"), show_default=True, metavar="FILE", env=["WA_AUDIT_SHARDS"], help="Where the accounts to audit go.")  # fmt: skip
planning = _together(
    option("--accounts", "listed", type=click.Path(path_type=Path), metavar="FILE", help="The accounts, a line each: ID, or ID,NAME,UNIT. Default: AWS Organizations is asked."),
    option("--role-name", default="wa-audit-reader", show_default=True, metavar="NAME", help="Role to take on in every account but one's own, with its path if it has one."),
    external_id,
    option("--region", "regions", multiple=True, metavar="REGION", help="Region to read in every account; repeatable. Default: the profile's."),
    option("--all-regions", is_flag=True, help="Read every region that is on in every account, as it needs no opt-in."),
    option("--include-unit", "units", once=True, multiple=True, metavar="PATH|ID", help="Only accounts in this unit or below it, as Root/Data or ou-ab12-…; repeatable."),
    option("--exclude-unit", "no_units", once=True, multiple=True, metavar="PATH|ID", help="No account in this unit or below it; repeatable."),
    option("--account", "accounts", once=True, multiple=True, metavar="ID", help="Only this account; repeatable."),
    option("--exclude-account", "no_accounts", once=True, multiple=True, metavar="ID", help="Not this account; repeatable."),
    option("--account-tag", "tags", once=True, multiple=True, metavar="KEY=VALUE", help="Only accounts that bear this tag; repeatable, all must match."),
)  # fmt: skip
run = option("--run", once=True, metavar="RUN", help="The run, as 20261126T060000Z; default: the latest.")
planned = option("--shards", "planned", once=True, metavar="FILE|s3://BUCKET/KEY", help="The run's shards.json: accounts of it that have no object are told as never scanned.")  # fmt: skip
parallel = option("--parallel", type=click.IntRange(1, 64), default=2, show_default=True, help="Accounts audited at once, each in a process of its own.")  # fmt: skip
again = option("--again", once=True, is_flag=True, help="Read accounts again that could not be audited, or not wholly.")  # fmt: skip
since = option("--since", once=True, type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Only runs that finished on this day or later.")  # fmt: skip
accounts = option("--account", "accounts", multiple=True, metavar="ID", help="Only this account; repeatable.")  # fmt: skip
audit_file = option("--audit", type=click.Path(path_type=Path), default=Path("audit.json"), show_default=True, metavar="FILE", env=["WA_AUDIT_AUDIT_FILE"], help="The audit to look at.")  # fmt: skip
drawing_form = option("--drawing-format", "--format", "form", type=click.Choice(("text", "svg", "dot", "mermaid", "json")), default="text", show_default=True, help="What to draw it as.")  # fmt: skip
drawing_file = option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", env=["WA_AUDIT_DRAWING"], help="File for it; default: the terminal.")  # fmt: skip
diff_form = option("--diff-format", "--format", "form", type=click.Choice(("text", "json", "markdown", "html")), default="text", show_default=True, help="What to show the comparison as.")  # fmt: skip
diff_file = option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", env=["WA_AUDIT_DIFF"], help="File for it; default: the terminal.")  # fmt: skip
demo_account = option("--demo-account", "which", type=click.Choice(("platform", "ledger")), default="platform", show_default=True, help="Which embedded account: the data platform, or the small and well-kept one of the ledger.")  # fmt: skip
baseline_file = option("--output", "-o", type=click.Path(path_type=Path), default=Path("baseline.json"), show_default=True, metavar="FILE", env=["WA_AUDIT_BASELINE_FILE"], help="Where the baseline goes.")  # fmt: skip
judging = _together(
    tag,
    option("--pipeline", default="", metavar="NAME", help="Judge only this pipeline; 'wa-audit pipelines' lists them."),
    option("--pipeline-tag", default="pipeline", show_default=True, metavar="KEY", help="Tag whose value names a resource's pipeline."),
    option("--suppress", "suppressions", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Failures that were accepted, each with reason, owner and expiry; repeatable."),
    option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="What failed before, from 'wa-audit baseline': gates look past it."),
    prices,
)  # fmt: skip
gates = _together(
    option("--fail-on", type=click.Choice(SEVERITIES), help="Exit 1 where a finding of this severity, or a worse one, fails; with --baseline, where it is new."),
    option("--max-new", type=click.Choice(("none", *SEVERITIES)), help="Exit 1 where a failure that is not in the --baseline is worse than this severity; none: at any new one."),
    option("--min-score", type=click.FloatRange(0, 100), metavar="N", callback=_refuse_nan, help="Exit 1 where the overall score is under N, or none could be given."),
    option("--strict", is_flag=True, help="Exit 4 where anything could not be evaluated."),
)  # fmt: skip


def _set_verbosity(context: click.Context, parameter: click.Parameter, value: int) -> int:
    if value:
        logging.getLogger("wa_audit").setLevel(logging.INFO if value == 1 else logging.DEBUG)
    return value


verbose = click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    callback=_set_verbosity,
    envvar="WA_AUDIT_VERBOSE",
    help="Say more on stderr; twice for everything.",
)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Keeps an option's value where `configuration` finds it; what was said before the command holds."""

    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value:
            context.meta[f"{_CONFIG}.{name}"] = value
        return value

    return keep


# Eager, because all others may come from it.
common = _together(
    option("--config", once=True, type=click.Path(path_type=Path), metavar="FILE", is_eager=True, expose_value=False, callback=_keep("file"), help="Configuration; without it, the nearest wa-audit.toml or [tool.wa-audit] from here upwards."),
    option("--no-config", once=True, is_flag=True, is_eager=True, expose_value=False, callback=_keep("off"), help="Use no configuration."),
    verbose,
)  # fmt: skip
