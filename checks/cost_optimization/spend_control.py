"""What a single run can cost has a limit."""

from functools import lru_cache

from wa_audit.rule import (
    ACCOUNT_TYPE,
    PIPELINE_TYPES,
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    neighbours,
    not_applicable,
    passed,
    warehouses,
    wasted,
)


@check("AWS::Athena::WorkGroup")
def athena_workgroup_scan_limit(workgroup: Resource, inventory: Inventory, *, most_bytes: int) -> Verdict:
    """Passes where a query is cancelled at 1 TB (most_bytes) scanned or earlier (BytesScannedCutoffPerQuery).

    The bytes scanned until then are billed all the same, and a workgroup's data usage alert only notifies.
    Workgroups for Spark, and those assigned to a capacity reservation, are billed by the DPU and not judged.
    """
    configuration = workgroup["Configuration"] or {}
    engine = configuration.get("EngineVersion") or workgroup["EngineVersion"] or {}
    name = engine.get("EffectiveEngineVersion") or engine.get("SelectedEngineVersion") or ""
    if "spark" in name.lower():
        return not_applicable(f"runs {name}", EngineVersion=name)
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff <= most_bytes:
        return passed(f"cancels queries at {cutoff} bytes scanned", BytesScannedCutoffPerQuery=cutoff)
    if reservation := _reservation(workgroup, inventory):
        return not_applicable("runs on a capacity reservation", CapacityReservation=reservation)
    if cutoff is None:
        return failed(
            "sets no limit on what a query may scan", BytesScannedCutoffPerQuery=None, waste=_ONLY_A_LIMIT
        )
    return failed(
        f"lets a query scan {cutoff} bytes, more than {most_bytes}",
        BytesScannedCutoffPerQuery=cutoff,
        waste=_ONLY_A_LIMIT,
    )


_ONLY_A_LIMIT = wasted.unknown("a limit that is missing costs what happens without it")
_ONLY_TOLD = wasted.unknown("it is about who learns of what is spent, and not about what is spent")


def _reservation(workgroup: Resource, inventory: Inventory) -> str | None:
    """The capacity reservation in force that the workgroup is assigned to."""
    for reservation in inventory.of("AWS::Athena::CapacityReservation", region=workgroup.region):
        if reservation["Status"] not in ("CANCELLED", "FAILED"):
            for assignment in reservation["CapacityAssignments"] or ():
                if workgroup.name in (assignment.get("WorkGroupNames") or ()):
                    return reservation.name
    return None


@check(*PIPELINE_TYPES)
def resource_required_tags(resource: Resource, *, required: list[str]) -> Verdict:
    """A resource of a pipeline bears the tags by which its cost can be told to somebody.

    Each of `required` is a key, in any case, or several that mean the same (`cost-center|project`). The
    workgroup primary, which AWS makes in every Region, is not judged.
    https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html
    """
    if neighbours.is_made_by_aws(resource):
        return not_applicable("is made by AWS")
    own = _plain_keys(tuple(resource.tags))
    missing = [keys for keys in required if own.isdisjoint(_meant(keys))]
    if missing:
        words = ", ".join(keys.replace("|", " or ") for keys in missing)
        return failed(
            f"lacks the tags {words}" if len(missing) > 1 else f"lacks the tag {words}",
            missing=missing,
            waste=_ONLY_TOLD,
        )
    return passed("bears the tags by which its cost is told", tags=sorted(resource.tags))


@lru_cache(maxsize=4096)
def _plain_keys(keys: tuple[str, ...]) -> frozenset[str]:
    """Many resources bear the same keys."""
    return frozenset(map(_plain, keys))


@lru_cache(maxsize=4096)
def _meant(keys: str) -> frozenset[str]:
    return frozenset(map(_plain, keys.split("|")))


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    """`CostCenter`, `cost-center` and `cost_center` are one key."""
    return key.lower().replace("-", "").replace("_", "")


@check(ACCOUNT_TYPE)
def budget_configured(account: Resource, inventory: Inventory, *, payer_managed: bool) -> Verdict:
    """The account has a cost budget that tells somebody when it is exceeded.

    That is a budget of type COST, of more than a dollar (the template that warns of any spend is none), with
    a notification that has a subscriber. Without one of type FORECASTED the pass says so: it comes before
    the money is spent. Says nothing where `payer_managed` says that the paying account keeps the budgets.
    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
    """
    if payer_managed:
        return not_applicable("has its budgets kept by the paying account")
    told: dict[str, set[str]] = {}
    for notification in inventory.of("AWS::Budgets::Notification"):
        if notification["Subscribers"]:
            kinds = told.setdefault(notification["BudgetName"], set())
            kinds.add(str((notification["Notification"] or {}).get("NotificationType")))
    budgets = [b for b in inventory.of("AWS::Budgets::Budget") if b["BudgetType"] == "COST" and _is_real(b)]
    if not budgets:
        return failed("has no budget for its cost", waste=_ONLY_TOLD)
    heard = sorted(budget.name for budget in budgets if told.get(budget.name))
    if not heard:
        return failed(
            "has a cost budget of which nobody is told",
            budgets=sorted(b.name for b in budgets),
            waste=_ONLY_TOLD,
        )
    early = any("FORECASTED" in told[name] for name in heard)
    note = "" if early else ", though only after the money is spent"
    return passed(f"has a cost budget that tells of itself{note}", budgets=heard)


def _is_real(budget: Resource) -> bool:
    """Whether it limits what is spent; an automatic budget has no fixed limit."""
    return float((budget["BudgetLimit"] or {}).get("Amount", "2")) > 1


@check("AWS::Redshift::Cluster")
def redshift_usage_limits(cluster: Resource, inventory: Inventory) -> Verdict:
    """What a cluster can spend beyond its nodes is limited: concurrency scaling, and Spectrum's scans.

    Concurrency scaling is in use where max_concurrency_scaling_clusters is not 0, which its default is not.
    Whether external schemas make Spectrum scan is known to SQL alone: a limit for it is not asked for, and
    one that is there is told.
    https://docs.aws.amazon.com/redshift/latest/mgmt/managing-cluster-usage-limits.html
    """
    limits = [
        limit["FeatureType"]
        for limit in inventory.having(
            "AWS::Redshift::UsageLimit", "ClusterIdentifier", cluster.name, region=cluster.region
        )
    ]
    if "concurrency-scaling" in limits:
        return passed("limits its concurrency scaling", FeatureType=sorted(limits))
    most = [
        values.get("max_concurrency_scaling_clusters", "1")
        for _, values in warehouses.parameters(cluster, inventory)
    ]
    if set(most) == {"0"}:
        return not_applicable("has concurrency scaling switched off")
    return failed(
        "may add clusters without a usage limit",
        max_concurrency_scaling_clusters=most,
        FeatureType=sorted(limits),
        waste=_ONLY_A_LIMIT,
    )


@check(ACCOUNT_TYPE)
def cost_anomaly_monitor(account: Resource, inventory: Inventory, *, payer_managed: bool) -> Verdict:
    """Cost Anomaly Detection watches what is spent, and tells somebody.

    That is a monitor of all services (DIMENSIONAL, by SERVICE) or one of the account's own (CUSTOM) that a
    subscription with a subscriber names. The monitor that AWS makes by itself for new users of Cost Explorer
    tells nobody until somebody subscribes. Cost Explorer is asked with --cost alone. Says nothing where
    `payer_managed` says that the paying account keeps the monitors.
    https://docs.aws.amazon.com/cost-management/latest/userguide/getting-started-ad.html
    """
    if payer_managed:
        return not_applicable("has its monitors kept by the paying account")
    monitors = {
        monitor.arn: monitor.name
        for monitor in inventory.of("AWS::CE::AnomalyMonitor")
        if monitor["MonitorType"] == "CUSTOM" or monitor["MonitorDimension"] == "SERVICE"
    }
    if not monitors:
        return failed("has no monitor of unusual cost", waste=_ONLY_TOLD)
    heard = {
        arn
        for subscription in inventory.of("AWS::CE::AnomalySubscription")
        if any(one.get("Status") != "DECLINED" for one in subscription["Subscribers"] or ())
        for arn in subscription["MonitorArnList"] or ()
    }
    told = sorted(name for arn, name in monitors.items() if arn in heard)
    if not told:
        return failed(
            "has a monitor of unusual cost that tells nobody",
            monitors=sorted(monitors.values()),
            waste=_ONLY_TOLD,
        )
    return passed("is told of unusual cost", monitors=told)


@check(ACCOUNT_TYPE)
def cost_allocation_tags_active(
    account: Resource, inventory: Inventory, *, required: list[str], payer_managed: bool
) -> Verdict:
    """The tags by which cost is told to somebody are active as cost allocation tags.

    Each of `required` is a key, in any case, or several of which one suffices (`cost-center|project`). A tag
    that is not active stands on resources and in no bill. Only the paying account can list them: in a member
    account AWS refuses, which leaves this open, unless `payer_managed` says that another account pays. Cost
    Explorer is asked with --cost alone.
    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
    """
    if payer_managed:
        return not_applicable("has its tags activated by the paying account")
    tags = inventory.of("AWS::CE::CostAllocationTag")
    active = {_plain(tag["TagKey"]) for tag in tags if tag["Status"] == "Active"}
    missing = [keys for keys in required if not active & {_plain(key) for key in keys.split("|")}]
    if missing:
        words = ", ".join(keys.replace("|", " or ") for keys in missing)
        return failed(f"does not break its bill down by {words}", missing=missing, waste=_ONLY_TOLD)
    return passed("breaks its bill down by the tags that are wanted", required=required)
