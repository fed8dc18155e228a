"""AWS Cost Explorer. Each request costs money: https://aws.amazon.com/aws-cost-management/pricing/"""

from wa_audit.collect.kinds import BILLED_ELSEWHERE, Call, Kind

_PRICE = 0.01
# The last whole month: the current one is partial.
_MONTH = {"TimePeriod": "{Start: last_month, End: this_month}"}
_HALF_YEAR = {"TimePeriod": "{Start: half_year_ago, End: this_month}"}
# An account that pays for others is told what they cost, too, unless it asks for its own:
# https://docs.aws.amazon.com/cost-management/latest/userguide/ce-access.html
_OWN = {"Filter": "{Dimensions: {Key: 'LINKED_ACCOUNT', Values: [account]}}"}
_COST = {"Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}


def _by(*dimensions: str) -> dict[str, list[dict[str, str]]]:
    return {"GroupBy": [{"Type": "DIMENSION", "Key": dimension} for dimension in dimensions]}


KINDS = (
    Kind(
        "AWS::CE::AnomalyMonitor",
        service="ce",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        list=Call(
            operation="GetAnomalyMonitors",
            params={"MaxResults": 100},
            take="AnomalyMonitors",
            keep="MonitorArn MonitorName MonitorType MonitorDimension CreationDate",
            price=_PRICE,
        ),
        name="MonitorName",
        arn="{MonitorArn}",
    ),
    Kind(
        "AWS::CE::AnomalySubscription",
        service="ce",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        list=Call(
            operation="GetAnomalySubscriptions",
            params={"MaxResults": 100},
            take="AnomalySubscriptions[].{SubscriptionArn: SubscriptionArn,"
            " SubscriptionName: SubscriptionName, MonitorArnList: MonitorArnList, Frequency: Frequency,"
            " Subscribers: Subscribers[].{Type: Type, Status: Status}}",
            keep="SubscriptionArn SubscriptionName MonitorArnList Frequency Subscribers",
            price=_PRICE,
        ),
        name="SubscriptionName",
        arn="{SubscriptionArn}",
    ),
    Kind(
        "AWS::CE::CostAllocationTag",
        service="ce",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        list=Call(
            operation="ListCostAllocationTags",
            params={"MaxResults": 1000},
            take="CostAllocationTags",
            keep="TagKey Type Status LastUpdatedDate LastUsedDate",
            price=_PRICE,
        ),
        name="TagKey",
        arn="arn:{partition}:ce::{account}:cost-allocation-tag:{Type}/{TagKey}",
    ),
    Kind(
        "AWS::CE::CostAndUsage",
        service="ce",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        list=Call(
            operation="GetCostAndUsage",
            args=_MONTH | _OWN,
            params=_COST,
            take="ResultsByTime[].{TimePeriod: TimePeriod, Total: Total.UnblendedCost}",
            keep="TimePeriod Total",
            token="NextPageToken",
            next="NextPageToken",
            price=_PRICE,
        ),
        name="TimePeriod.Start",
        arn="arn:{partition}:ce::{account}:cost-and-usage/{name}",
        details=(
            Call(
                operation="GetCostAndUsage",
                args=_MONTH | _OWN,
                params=_COST | _by("USAGE_TYPE"),
                take="ResultsByTime[].Groups[].{UsageType: Keys[0], Cost: Metrics.UnblendedCost}",
                into="UsageTypes",
                token="NextPageToken",
                next="NextPageToken",
                price=_PRICE,
            ),
        ),
    ),
    # A month that a page ends in comes in two parts, so each is known by what is in it. `map` refuses a month
    # without groups, which would look like one without cost.
    Kind(
        "AWS::CE::ServiceCost",
        service="ce",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        list=Call(
            operation="GetCostAndUsage",
            args=_HALF_YEAR | _OWN,
            params=_COST | _by("SERVICE", "RECORD_TYPE"),
            take="ResultsByTime[].{TimePeriod: TimePeriod, Estimated: Estimated, Groups:"
            " map(&{Service: Keys[0], RecordType: Keys[1], Cost: Metrics.UnblendedCost}, Groups)}",
            keep="TimePeriod Estimated Groups",
            token="NextPageToken",
            next="NextPageToken",
            price=_PRICE,
        ),
        name="TimePeriod.Start",
        arn="",
    ),
)
