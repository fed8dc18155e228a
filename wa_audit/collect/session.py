"""Whose account is read, from where, and through which clients.

One boto3 session serves the whole run. Its clients are made once, when they are first needed, and every
call of theirs passes the read-only guard.
"""

from __future__ import annotations

import difflib
import os
import re
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
import botocore.config
import botocore.credentials
import botocore.session
import botocore.utils
from botocore import exceptions

from wa_audit import __version__
from wa_audit.collect import errors, fast
from wa_audit.collect.guard import (
    CREDENTIAL_OPERATIONS,
    ORGANIZATION_OPERATIONS,
    SESSION_OPERATIONS,
    Guard,
)
from wa_audit.collect.kinds import declared
from wa_audit.collect.limiter import backoff
from wa_audit.model import ConfigurationError, CredentialsError, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Every service that is read answers here under one name for the whole partition.
_MAIN_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


@dataclass(frozen=True, slots=True)
class Identity:
    account: str
    arn: str


class AwsSession:
    """A boto3 session with the guard installed, and its clients by service and region."""

    def __init__(
        self, session: boto3.session.Session, *, endpoint_url: str | None = None, workers: int = 16
    ) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, str], Any] = {}
        self._first: dict[str, Any] = {}  # of each service, the client that was made first
        self._lock = threading.Lock()
        self._retry: Callable[..., float | None] = _retry_throttle
        self._config = botocore.config.Config(
            user_agent_extra=f"wa-audit/{__version__}",
            retries={"mode": "standard", "max_attempts": 5},
            connect_timeout=10,
            read_timeout=30,
            max_pool_connections=workers,
            # Virtual-hosted addressing would open a connection, and read the CA bundle, for every bucket.
            s3={"addressing_style": "path"},
            inject_host_prefix=endpoint_url is None,
        )
        fast.tune_session(session, _operations())
        self.guard = Guard()
        self.guard.install(session.events)
        if endpoint_url is not None:
            session.events.register("before-sign.s3-control", self._without_account)

    @property
    def region(self) -> str | None:
        """The region of the profile, the environment or the caller; None where none is set."""
        found: str | None = self._session.region_name
        return found

    @property
    def credentials(self) -> str:
        """How the credentials were found, in botocore's word: `env`, `sso`, `assume-role`."""
        found = self._session.get_credentials()
        return str(found.method) if found else "nowhere"

    def enter(self) -> None:
        """Has the credentials fetched, which in a role is a call of sts:AssumeRole.

        Raises:
            ClientError, BotoCoreError: it was refused, or failed.
        """
        self._session.get_credentials().get_frozen_credentials()

    def _without_account(self, request: Any, **_: Any) -> None:
        """S3 Control puts the account before the host, which an endpoint of one's own may not resolve."""
        scheme, separator, rest = str(request.url).partition("://")
        account, dot, host = rest.partition(".")
        if dot and account.isdigit() and str(self._endpoint_url).endswith(host.partition("/")[0]):
            request.url = f"{scheme}{separator}{host}"

    def client(self, service: str, region: str) -> Any:
        """The one client of a service in a region. Thread-safe."""
        key = (service, region)
        # Who has a client does not wait for others to be made.
        if (made := self._clients.get(key)) is not None:
            return made
        with self._lock:
            if key not in self._clients:
                first = self._first.get(service)
                self._clients[key] = (first and fast.in_region(first, region)) or self._made(service, region)
            return self._clients[key]

    def _made(self, service: str, region: str) -> Any:
        """A new client. The lock is held."""
        client = self._session.client(
            service, region_name=region, endpoint_url=self._endpoint_url, config=self._config
        )
        name = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register_first(f"needs-retry.{name}", self._retry)
        return self._first.setdefault(service, fast.tune_client(client))

    @contextmanager
    def _preparing(self, services: Iterable[str]) -> Iterator[None]:
        """Reads the files of services that clients will be made for, and takes their models apart, one after
        the other, for as long as AWS is being waited for."""
        enough = threading.Event()
        services = [*services]

        def prepare() -> None:
            # What cannot be read says so when the client is made.
            with suppress(Exception):
                fast.read_ahead(self._session, services)
                for service in services:
                    if enough.is_set():
                        return
                    self._session._session.get_service_model(service)

        threading.Thread(target=prepare, daemon=True).start()
        try:
            yield
        finally:
            enough.set()

    def register(self, event: str, handler: Callable[..., Any]) -> None:
        """Listens to a botocore event of every client. Those that are there are made anew, when needed: a
        client has the handlers of the moment that it was made in."""
        self._session.events.register(event, handler)
        self._forget()

    def retry_by(self, handler: Callable[..., float | None]) -> None:
        """Has every client ask this handler of `needs-retry` for the seconds to wait, before botocore's own.

        Botocore's stands at the service's own event, which comes before any more general one: so must this.
        """
        self._retry = handler
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._clients.clear()
            self._first.clear()

    def partition(self, region: str) -> str:
        return partition_of(region, self._session)

    def main_region(self, regions: Iterable[str]) -> str:
        """Where the global services of the regions' partition answer."""
        first = next(iter(regions))
        if self._endpoint_url:
            return first
        return _MAIN_REGION.get(self.partition(first), first)

    def identity(self, region: str, next_services: Iterable[str] = ()) -> Identity:
        """Who is calling. What `next_services` need is made ready while AWS answers.

        Raises:
            CredentialsError: there are no credentials, or AWS does not accept them.
            ConfigurationError: the endpoint cannot be reached, or the region is switched off.
        """
        try:
            client = self.client("sts", region)
            with self._preparing(next_services):
                answer = client.get_caller_identity()
        except exceptions.BotoCoreError as error:
            raise _startup_error(error, self._endpoint_url) from None
        except exceptions.ClientError as error:
            if errors.code(error) == "RegionDisabledException":
                raise ConfigurationError(f"region {region!r} is switched off for this account") from None
            if errors.reason(error) in (Reason.EXPIRED_CREDENTIALS, Reason.ACCESS_DENIED):
                raise CredentialsError(_refused(error, region)) from None
            raise ConfigurationError(f"sts:GetCallerIdentity in {region} failed: {_words(error)}") from None
        return Identity(answer["Account"], answer["Arn"])

    def check_regions(self, regions: Sequence[str], workers: int) -> None:
        """Sees that regions are switched on for an account whose credentials are known to be good.

        Raises:
            ConfigurationError: one is switched off, or cannot be reached; of several, the first.
        """
        if regions:
            with ThreadPoolExecutor(min(workers, len(regions))) as pool:
                list(pool.map(self._check_region, regions))

    def _check_region(self, region: str) -> None:
        try:
            self.client("sts", region).get_caller_identity()
        except exceptions.ClientError as error:
            if errors.reason(error) is Reason.EXPIRED_CREDENTIALS:
                raise ConfigurationError(
                    f"region {region!r} is switched off for this account; leave it out, or enable it in the "
                    "account's settings"
                ) from None
            raise ConfigurationError(f"region {region!r}: {_words(error)}") from None
        except exceptions.BotoCoreError as error:
            raise _startup_error(error, self._endpoint_url) from None

    def enabled_regions(self, region: str, *, for_all: bool = False) -> list[str]:
        """Every region that is switched on for this account; with `for_all`, those that are for any account.

        Raises:
            ConfigurationError: ec2:DescribeRegions was refused or failed.
        """
        try:
            answer = self.client("ec2", region).describe_regions()
        except (exceptions.ClientError, exceptions.BotoCoreError) as error:
            raise ConfigurationError(
                f"--all-regions needs ec2:DescribeRegions: {_words(error)}; name the regions with --region"
            ) from None
        return sorted(
            found["RegionName"]
            for found in answer["Regions"]
            if not for_all or found.get("OptInStatus") == "opt-in-not-required"
        )


def _operations() -> dict[str, set[str]]:
    """By service: every operation that some kind declares, the session's own, and those of organizations.

    STS is left out: what botocore calls there for credentials depends on the profile.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for operation in (SESSION_OPERATIONS | CREDENTIAL_OPERATIONS | ORGANIZATION_OPERATIONS).union(
        *(kind.operations(call) for kind, call in declared())
    ):
        service, _, name = operation.partition(":")
        if service != "sts":
            found[service].add(name)
    return found


def connect(
    *,
    profile: str | None = None,
    region: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
    endpoint_url: str | None = None,
    workers: int = 16,
) -> AwsSession:
    """A session from a profile or the environment, in a role where one is given.

    Raises:
        ConfigurationError: the profile is unknown, the configuration files cannot be read, or the endpoint is
            no URL.
        CredentialsError: there are no credentials.
    """
    if endpoint_url and not botocore.utils.is_valid_endpoint_url(endpoint_url):
        raise ConfigurationError(
            f"--endpoint-url {endpoint_url!r} is not a URL such as http://127.0.0.1:4566"
        )
    # The AWS CLI and the other SDKs read AWS_REGION; boto3 knows AWS_DEFAULT_REGION alone.
    region = region or os.environ.get("AWS_REGION")
    try:
        session = boto3.session.Session(profile_name=profile, region_name=region)
        if session.get_credentials() is None:
            raise CredentialsError(
                "no AWS credentials: name a profile with --profile, set AWS_PROFILE, or run 'aws configure'"
            )
        if role_arn:
            session = _in_role(session, role_arn, external_id, endpoint_url, region)
    except exceptions.ProfileNotFound as error:
        raise _unknown_profile(error, profile) from None
    except exceptions.BotoCoreError as error:
        raise _startup_error(error, endpoint_url) from None
    return AwsSession(session, endpoint_url=endpoint_url, workers=workers)


def _in_role(
    base: boto3.session.Session,
    role_arn: str,
    external_id: str | None,
    endpoint_url: str | None,
    region: str | None,
) -> boto3.session.Session:
    """The same session in a role, whose credentials botocore renews before they end."""
    if not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", role_arn):
        raise ConfigurationError(
            f"--role-arn {role_arn!r} is not a role's ARN, arn:aws:iam::123456789012:role/NAME"
        )
    inner = botocore.session.Session()
    extra = {"RoleSessionName": "wa-audit"} | ({"ExternalId": external_id} if external_id else {})
    fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
        client_creator=partial(
            base.client, endpoint_url=endpoint_url, region_name=base.region_name or region or "us-east-1"
        ),
        source_credentials=base.get_credentials(),
        role_arn=role_arn,
        extra_args=extra,
    )
    # The way botocore's own AssumeRoleProvider hands them over.
    inner._credentials = botocore.credentials.DeferredRefreshableCredentials(
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return boto3.session.Session(botocore_session=inner, region_name=base.region_name or region)


def chosen_regions(session: AwsSession, named: Iterable[str], *, all_regions: bool) -> list[str]:
    """The regions to read, each once: those that were named, all that are switched on, or the profile's.

    Raises:
        ConfigurationError: there is none, they cannot be listed, or they lie in several partitions.
    """
    if all_regions:
        return session.enabled_regions(session.region or "us-east-1")
    found = list(dict.fromkeys(named)) or [session.region or _no_region()]
    _in_one_partition(session, found)
    return found


def _in_one_partition(session: AwsSession, regions: Sequence[str]) -> None:
    """An account, its credentials and its ARNs belong to one partition. In another, AWS only calls the
    credentials invalid, as it does in a region that is switched off.

    Raises:
        ConfigurationError: names the first region that lies elsewhere.
    """
    first = session.partition(regions[0])
    for region in regions[1:]:
        other = session.partition(region)
        if other != first:
            raise ConfigurationError(
                f"--region: {regions[0]!r} is in the partition {first}, {region!r} in {other}; "
                "an account has one, so audit each by itself"
            )


def own_region(profile: str | None) -> str:
    """The region of a profile or the environment, without looking for credentials.

    Raises:
        ConfigurationError: there is none.
    """
    inner = botocore.session.Session(profile=profile)
    try:
        found = os.environ.get("AWS_REGION") or inner.get_config_variable("region")
    except exceptions.ProfileNotFound as error:
        raise _unknown_profile(error, profile) from None
    except exceptions.BotoCoreError as error:
        raise _startup_error(error, None) from None
    return str(found) if found else _no_region()


def _no_region() -> NoReturn:
    raise ConfigurationError("no region: name one with --region, or set it in the profile or AWS_REGION")


def _unknown_profile(error: exceptions.ProfileNotFound, profile: str | None) -> ConfigurationError:
    """Says which was meant."""
    name = str(error.kwargs.get("profile", profile))
    known = botocore.session.Session().available_profiles
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"
    return ConfigurationError(f"unknown AWS profile {name!r}{hint}")


def partition_of(region: str, session: boto3.session.Session | botocore.session.Session | None = None) -> str:
    """The partition that a region belongs to; an unknown one is taken for one of `aws`."""
    try:
        found: str = (session or botocore.session.Session()).get_partition_for_region(region)
    except exceptions.UnknownRegionError:
        return "aws"
    return found


def known_region(region: str) -> str:
    """The region, if botocore knows it in any partition.

    Raises:
        ConfigurationError: it does not; says which was meant.
    """
    session = botocore.session.Session()
    known = {
        name
        for partition in session.get_available_partitions()
        for service in ("ec2", "sts")
        for name in session.get_available_regions(service, partition)
    }
    if region in known:
        return region
    near = difflib.get_close_matches(region, sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigurationError(f"--region: unknown region {region!r}{hint}")


def _retry_throttle(response: Any, attempts: int, **_: Any) -> float | None:
    """Seconds until a throttled call is made again, while nobody else says so; None where botocore decides,
    which waits for seconds where others wait for tenths."""
    return backoff(attempts) if errors.was_throttled(response) else None


def _startup_error(error: exceptions.BotoCoreError, endpoint_url: str | None) -> Exception:
    found = errors.reason(error)
    if found is Reason.EXPIRED_CREDENTIALS:
        return CredentialsError(f"no usable AWS credentials: {_words(error)}")
    if found is Reason.UNREACHABLE:
        hint = "; is --endpoint-url right?" if endpoint_url else "; is there a network?"
        return ConfigurationError(f"AWS cannot be reached: {_words(error)}{hint}")
    return ConfigurationError(f"AWS configuration: {_words(error)}")


def _refused(error: exceptions.ClientError, region: str) -> str:
    found = errors.code(error)
    if found in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return f"the AWS credentials have expired ({found}); renew them, for example with 'aws sso login'"
    return f"AWS does not accept these credentials in {region} ({found}): {_words(error)}"


def _words(error: Exception) -> str:
    """One line of an error's own words."""
    if isinstance(error, exceptions.ClientError):
        return str(error.response.get("Error", {}).get("Message", error)).split("\n")[0]
    return str(error).split("\n")[0]
