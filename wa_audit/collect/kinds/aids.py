"""What answers for many resources at once."""

from wa_audit.collect.kinds import Aid, Call


def tags(type_: str) -> Aid:
    """The tags of every resource of a type that was ever tagged, `lambda:function`, a hundred a call.

    Says nothing of a type of which none is tagged: it may be one that the tagging API does not know.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    return Aid(
        name=f"tags of {type_}",
        call=Call(
            operation="GetResources",
            service="resourcegroupstaggingapi",
            params={"ResourcesPerPage": 100, "ResourceTypeFilters": [type_]},
            take="ResourceTagMappingList[].{ResourceARN: ResourceARN, Value: Tags}",
            keep="ResourceARN Value",
        ),
    )


# What functions have reserved is no longer there for the others.
# https://docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html
NOTHING_RESERVED = Aid(
    name="reserved concurrency",
    call=Call(
        operation="GetAccountSettings",
        service="lambda",
        take="AccountLimit",
        keep="ConcurrentExecutions UnreservedConcurrentExecutions",
    ),
    none_where="ConcurrentExecutions == UnreservedConcurrentExecutions",
)
