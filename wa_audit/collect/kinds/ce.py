"""AWS Cost Explorer. Each request costs money: https://aws.amazon.com/aws-cost-management/pricing/"""

from wa_audit.collect.kinds import BILLED_ELSEWHERE, Call, Kind

_PRICE = 0.01
# The last whole month: the current one is partial.
_MONTH = {"TimePeriod": "{Start: last_month, End: this_month}"}
_COST = {"Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}

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
            args=_MONTH,
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
                args=_MONTH,
                params={**_COST, "GroupBy": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}]},
                take="ResultsByTime[].Groups[].{UsageType: Keys[0], Cost: Metrics.UnblendedCost}",
                into="UsageTypes",
                token="NextPageToken",
                next="NextPageToken",
                price=_PRICE,
            ),
        ),
    ),
)
