"""What was done, and by whom, is written down."""

from wa_audit.rule import (
    ACCOUNT_TYPE,
    PIPELINE_TYPES,
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    not_applicable,
    not_evaluated,
    passed,
    warehouses,
)

_ALL = "All"


@check(ACCOUNT_TYPE)
def cloudtrail_multi_region_active(account: Resource, inventory: Inventory) -> Verdict:
    """Passes where one trail, the account's own or its organization's, logs what is done in all regions.

    A trail counts that is multi-region, is logging, and takes in read and write management events, by basic
    or by advanced selectors. So does an enabled multi-region event data store of CloudTrail Lake. The
    selectors of an organization's trail may be refused to a member: where only such a trail is left, nobody
    can tell.
    """
    for trail in inventory.of("AWS::CloudTrail::Trail"):
        logging = trail["IsMultiRegionTrail"] and (trail["Status"] or {}).get("IsLogging")
        if logging and _takes_all(trail):
            return passed(f"is logged by {trail.name}", trail=trail.arn)
    for store in inventory.of("AWS::CloudTrail::EventDataStore"):
        if store["Status"] == "ENABLED" and store["MultiRegionEnabled"]:
            return passed(f"is logged into {store.name}", store=store.arn)
    return failed("has no trail that logs management events in all regions")


def _takes_all(trail: Resource) -> bool:
    """Whether a trail takes in management events that read and that write."""
    basic = trail["EventSelectors"] or []
    if any(s.get("IncludeManagementEvents") and s.get("ReadWriteType", _ALL) == _ALL for s in basic):
        return True
    for selector in trail["AdvancedEventSelectors"] or []:
        fields = {field["Field"]: field for field in selector.get("FieldSelectors") or []}
        if fields.get("eventCategory", {}).get("Equals") == ["Management"] and "readOnly" not in fields:
            return True
    return False


@check("AWS::Redshift::Cluster")
def redshift_audit_logging(cluster: Resource, inventory: Inventory) -> Verdict:
    """Passes where the cluster delivers its audit logs, with what its users did.

    The user activity log stays empty unless the parameter enable_user_activity_logging is true. Fails too
    where the last delivery failed.
    https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html
    """
    status = cluster["LoggingStatus"] or {}
    if not status.get("LoggingEnabled"):
        return failed("writes no audit logs", LoggingEnabled=False)
    last, bad = status.get("LastSuccessfulDeliveryTime") or "", status.get("LastFailureTime") or ""
    if bad > last:
        return failed(f"has not delivered its logs since {bad}", LastFailureTime=bad)

    for group, values in warehouses.parameters(cluster, inventory):
        value = values.get("enable_user_activity_logging")
        if value is None:
            return not_evaluated("has a parameter group that does not say whether users' activity is logged")
        if value != "true":
            return failed("logs connections, and not what users do", group=group["ParameterGroupName"])
    return passed("delivers its audit logs", LogDestinationType=status.get("LogDestinationType"))


@check(ACCOUNT_TYPE)
def config_recorder_active(account: Resource, inventory: Inventory) -> Verdict:
    """In each Region that holds pipeline resources AWS Config records, without failure, and delivers.

    A recorder of the account's own counts, not one that Security Hub or another service runs for itself
    (servicePrincipal). A recorder that has just begun has lastStatus PENDING, which is no failure.
    https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html
    """
    held = {r.region for type_ in PIPELINE_TYPES for r in inventory.of(type_) if r.name != "primary"}
    used = sorted(held & set(inventory.run.regions))
    if not used:
        return not_applicable("holds no pipeline resources in the audited Regions")
    wrong = {region: words for region in used if (words := _unrecorded(region, inventory))}
    if wrong:
        region = next(iter(wrong))
        return failed(f"{wrong[region]} in {region}", regions=wrong)
    return passed(f"records its configuration in {', '.join(used)}", regions=used)


def _unrecorded(region: str, inventory: Inventory) -> str:
    """What is wrong with the recording in a Region; empty where nothing is."""
    own = [
        recorder
        for recorder in inventory.of("AWS::Config::ConfigurationRecorder", region=region)
        if not recorder["servicePrincipal"]
    ]
    if not own:
        return "has no configuration recorder"
    status = own[0]["Status"] or {}
    if not status.get("recording"):
        return "has a configuration recorder that is stopped"
    if str(status.get("lastStatus")).upper() == "FAILURE":
        return "has a configuration recorder that fails"
    if not inventory.of("AWS::Config::DeliveryChannel", region=region):
        return "has a configuration recorder without a delivery channel"
    return ""
