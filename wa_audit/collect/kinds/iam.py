"""AWS IAM roles, the managed policies attached to them, and the profiles that hand them to instances."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::IAM::Role",
        service="iam",
        scope="global",
        # One paged call gives every role whole; ListRoles leaves out RoleLastUsed, tags and boundary.
        list=Call(
            operation="GetAccountAuthorizationDetails",
            params={"Filter": ["Role"], "MaxItems": 1000},
            take="RoleDetailList",
            keep="RoleName RoleId Arn Path CreateDate AssumeRolePolicyDocument RolePolicyList "
            "AttachedManagedPolicies PermissionsBoundary Tags RoleLastUsed",
        ),
        name="RoleName",
        arn="{Arn}",
    ),
    Kind(
        "AWS::IAM::ManagedPolicy",
        service="iam",
        scope="global",
        list=Call(
            operation="GetAccountAuthorizationDetails",
            params={"Filter": ["LocalManagedPolicy", "AWSManagedPolicy"], "MaxItems": 1000},
            take="Policies[].{PolicyName: PolicyName, Arn: Arn, AttachmentCount: AttachmentCount,"
            " PermissionsBoundaryUsageCount: PermissionsBoundaryUsageCount,"
            " Document: PolicyVersionList[?IsDefaultVersion] | [0].Document}",
            keep="PolicyName Arn AttachmentCount PermissionsBoundaryUsageCount Document",
        ),
        name="PolicyName",
        arn="{Arn}",
    ),
    Kind(
        "AWS::IAM::InstanceProfile",
        service="iam",
        scope="global",
        list=Call(
            operation="ListInstanceProfiles",
            params={"MaxItems": 1000},
            take="InstanceProfiles[].{InstanceProfileName: InstanceProfileName, Arn: Arn,"
            " CreateDate: CreateDate, Roles: Roles[].Arn}",
            keep="InstanceProfileName Arn CreateDate Roles",
        ),
        name="InstanceProfileName",
        arn="{Arn}",
    ),
)
