"""AWS Budgets, with whom they notify: how, and how many, but no addresses."""

from wa_audit.collect.kinds import BILLED_ELSEWHERE, Call, Kind

_GONE = ("NotFoundException",)
_BUDGET = {"AccountId": "account", "BudgetName": "BudgetName"}

KINDS = (
    Kind(
        "AWS::Budgets::Budget",
        service="budgets",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        # An account without budgets gets an answer without a list.
        list=Call(
            operation="DescribeBudgets",
            args={"AccountId": "account"},
            params={"MaxResults": 100},
            take="Budgets",
            keep="BudgetName BudgetType BudgetLimit TimeUnit AutoAdjustData LastUpdatedTime",
            optional=True,
        ),
        name="BudgetName",
        arn="arn:{partition}:budgets::{account}:budget/{BudgetName}",
    ),
    Kind(
        "AWS::Budgets::Notification",
        service="budgets",
        scope="global",
        not_in=BILLED_ELSEWHERE,
        parent="AWS::Budgets::Budget",
        inherits="BudgetName",
        # Whole, because a notification is its own key: its subscribers are asked for by what it is.
        list=Call(
            operation="DescribeNotificationsForBudget",
            args=_BUDGET,
            params={"MaxResults": 100},
            take="Notifications[].{Notification: @}",
            keep="Notification",
            gone=_GONE,
            optional=True,
        ),
        name="Notification.NotificationType",
        # A notification has no name of its own.
        arn="",
        details=(
            Call(
                operation="DescribeSubscribersForNotification",
                args={**_BUDGET, "Notification": "Notification"},
                params={"MaxResults": 100},
                take="Subscribers[].{SubscriptionType: SubscriptionType,"
                " TopicArn: (starts_with(Address, 'arn:') && Address) || null}",
                into="Subscribers",
                gone=_GONE,
                optional=True,
            ),
        ),
    ),
)
