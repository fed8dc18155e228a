"""An embedded account to try everything on: moto in process, holding a small company's data platform."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from wa_audit.model import ConfigurationError

if TYPE_CHECKING:
    from wa_audit.collect.session import AwsSession

REGION = "eu-west-1"

log = logging.getLogger(__name__)


class Demo(NamedTuple):
    """The account's session, and the regions that it uses."""

    session: AwsSession
    regions: tuple[str, ...]


@contextmanager
def account() -> Iterator[Demo]:
    """The demo account, for as long as the context lasts. No call leaves the process.

    The environment's own AWS settings are put aside meanwhile, so that neither a profile nor an endpoint
    of the user's is touched. Only the session given here sees all of the account: it corrects what the
    emulator forgets.

    Raises:
        ConfigurationError: moto is not installed.
    """
    with patch.dict(os.environ, _environment(), clear=True):
        # Moto hooks into botocore when it is imported, so it comes before any session.
        try:
            import moto
            import moto.iam.models
            from moto.iam.aws_managed_policies import aws_managed_policies_data
        except ImportError:
            raise ConfigurationError("the demo needs the extra: pip install 'wa-audit[demo]'") from None
        import boto3

        from wa_audit import demo_account
        from wa_audit.collect.session import AwsSession
        from wa_audit.demo_account import analysts, corrections, outcomes, spending, warehouse

        policies = corrections.managed_policies(aws_managed_policies_data)
        with (
            patch.object(moto.iam.models, "aws_managed_policies_data", policies),
            moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
        ):
            session = boto3.session.Session(region_name=REGION)
            corrections.Corrections().install(session.events)
            outcomes.Outcomes().install(session.events)
            analysts.Analysts().install(session.events)
            spending.Bills().install(session.events)
            warehouse.Catalogs().install(session.events)
            with _without_garbage_collection():
                for refusal in demo_account.seed(session, REGION):
                    log.warning("%s: the emulator said %s", refusal.operation, refusal.code)
            yield Demo(AwsSession(session), (REGION, demo_account.SECOND_REGION))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Reading moto's modules and AWS's service models makes millions of objects that all stay: a third of
    the time went into looking through them for garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _environment() -> dict[str, str]:
    """The environment with nothing of AWS in it but made-up credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
