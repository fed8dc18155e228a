"""`wa-audit iam-policy`: what the auditor must be allowed."""

from __future__ import annotations

from typing import Any

import click

from wa_audit import flags, wiring


@click.command("iam-policy")
@flags.policy_format
@flags.asked
@flags.rulebook
@flags.no_metrics
@flags.common
def iam_policy(form: str, no_metrics: bool, **options: Any) -> None:
    """Print the IAM policy that the selected rules need, and no more.

    As a policy in JSON, as a CloudFormation template that can also make a read-only role for another account,
    or as Terraform. Where the actions do not fit into one managed policy there are several: in JSON, a list.
    """
    from wa_audit.collect import permissions, plan, policyforms

    book = wiring.load_rulebook(options)
    made = wiring.affordable(wiring.make_plan(book, tags=True), options, no_metrics)
    click.echo(policyforms.FORMS[form](permissions.policies(plan.permitted(made))))
