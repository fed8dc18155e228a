"""What was done, and by whom, is written down."""

from wa_audit.rule import (
    ACCOUNT_TYPE,
    PIPELINE_TYPES,
    Inventory,
    Resource,
    Verdict,
    check,
    dataevents,
    failed,
    neighbours,
    not_applicable,
    not_evaluated,
    passed,
    warehouses,
)

_ALL = "All"
_EXPORTS = {"connectionlog", "useractivitylog", "userlog"}


@check(ACCOUNT_TYPE)
def cloudtrail_multi_region_active(account: Resource, inventory: Inventory) -> Verdict:
    """Passes where one trail, the account's own or its organization's, logs what is done in all regions.

    A trail counts that is multi-region, is logging, and takes in read and write management events, by basic
    or by advanced selectors. So does an enabled multi-region event data store of CloudTrail Lake that takes
    them in. The selectors of an organization's trail may be refused to a member: where only such a trail is
    left, nobody can tell.
    """
    trails = inventory.of("AWS::CloudTrail::Trail")
    own = [trail for trail in trails if not trail["IsOrganizationTrail"]]
    others = [trail for trail in trails if trail["IsOrganizationTrail"]]
    for trail in own:
        if _is_logging_everywhere(trail) and _takes_all(trail):
            return passed(f"is logged by {trail.name}", trail=trail.arn)
    for store in inventory.of("AWS::CloudTrail::EventDataStore"):
        if store["Status"] == "ENABLED" and store["MultiRegionEnabled"] and _takes_all(store):
            return passed(f"is logged into {store.name}", store=store.arn)
    for trail in others:
        if _is_logging_everywhere(trail) and _takes_all(trail):
            return passed(f"is logged by {trail.name}, of its organization", trail=trail.arn)
    return failed("has no trail that logs management events in all regions")


def _is_logging_everywhere(trail: Resource) -> bool:
    return bool(trail["IsMultiRegionTrail"] and (trail["Status"] or {}).get("IsLogging"))


def _takes_all(trail: Resource) -> bool:
    """Whether a trail, or an event data store, takes in management events that read and that write."""
    basic = trail["EventSelectors"] or []
    if any(s.get("IncludeManagementEvents") and s.get("ReadWriteType", _ALL) == _ALL for s in basic):
        return True
    for selector in trail["AdvancedEventSelectors"] or []:
        fields = {field["Field"]: field for field in selector.get("FieldSelectors") or []}
        if fields.get("eventCategory", {}).get("Equals") == ["Management"] and "readOnly" not in fields:
            return True
    return False


@check(
    "AWS::DynamoDB::Table",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)
def cloudtrail_data_events(
    store: Resource,
    inventory: Inventory,
    *,
    types: list[str],
    only_sensitive: bool,
    sensitivity_tag_keys: list[str],
    sensitive_values: list[str],
) -> Verdict:
    """Passes where who reads and who writes the data of a store is logged by CloudTrail.

    The data events of a whole bucket must be taken in by the basic or the advanced selectors of a trail that
    is logging, or of an enabled event data store, which reach into the bucket's region; an organization's
    trail counts. Selectors add up, within a trail and among several. One that takes in some keys of a bucket,
    or some events by name, does not count. Low where only one of reading and writing is logged.

    `types` says of which resource types data events are wanted. The buckets that trails write to are exempt:
    logging what CloudTrail does to its own log makes more of it, without end. With `only_sensitive`, buckets
    are exempt unless a tag of `sensitivity_tag_keys` has one of the `sensitive_values`.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    """
    if store.type not in types:
        return not_applicable("is of a type of which data events are not asked for")
    trails = inventory.of("AWS::CloudTrail::Trail")
    if store.type == "AWS::S3::Bucket":
        if any(trail["S3BucketName"] == store.name for trail in trails):
            return not_applicable("holds the log of a trail")
        if only_sensitive and not _is_tagged(store, sensitivity_tag_keys, sensitive_values):
            return not_applicable("is not tagged as sensitive")

    found: dict[str, frozenset[str]] = {}
    for trail in trails:
        reaches = trail["IsMultiRegionTrail"] or trail["HomeRegion"] == store.region
        if reaches and (trail["Status"] or {}).get("IsLogging"):
            basic, advanced = trail["EventSelectors"], trail["AdvancedEventSelectors"]
            found[trail.arn] = dataevents.logged(store.type, store.arn, basic, advanced)
    for lake in inventory.of("AWS::CloudTrail::EventDataStore"):
        reaches = lake["MultiRegionEnabled"] or lake.region == store.region
        if reaches and lake["Status"] == "ENABLED":
            advanced = lake["AdvancedEventSelectors"]
            found[lake.arn] = dataevents.logged(store.type, store.arn, None, advanced)

    logs = sorted(arn for arn, events in found.items() if events)
    events = frozenset[str]().union(*found.values())
    if not events:
        return failed("has no data events in CloudTrail", events=dataevents.EVENTS[store.type])
    if len(events) == 1:
        return failed(f"has only its {min(events)} events in CloudTrail", severity="low", logs=logs)
    return passed("has its data events in CloudTrail", logs=logs)


def _is_tagged(store: Resource, keys: list[str], values: list[str]) -> bool:
    wanted = {key.lower() for key in keys}
    allowed = {value.lower() for value in values}
    tags = (store["Tags"] or {}).items()
    return any(key.lower() in wanted and value.lower() in allowed for key, value in tags)


@check("AWS::Redshift::Cluster", "AWS::RedshiftServerless::Namespace")
def redshift_audit_logging(cluster: Resource, inventory: Inventory) -> Verdict:
    """Passes where the cluster delivers its audit logs, with what its users did.

    The user activity log stays empty unless the parameter enable_user_activity_logging is true. Fails too
    where the last delivery failed. A serverless namespace exports its three logs (logExports).
    https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html
    """
    if cluster.type == "AWS::RedshiftServerless::Namespace":
        missing = sorted(_EXPORTS - set(cluster["logExports"] or ()))
        if missing:
            return failed(f"does not export {', '.join(missing)}", logExports=cluster["logExports"])
        return passed("exports its audit logs", logExports=sorted(_EXPORTS))
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
    used = sorted(neighbours.regions_of(PIPELINE_TYPES, inventory))
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
