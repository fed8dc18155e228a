"""AWS Lake Formation."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::LakeFormation::DataLakeSettings",
        service="lakeformation",
        list=Call(
            operation="GetDataLakeSettings",
            take="[DataLakeSettings]",
            keep="DataLakeAdmins ReadOnlyAdmins CreateDatabaseDefaultPermissions "
            "CreateTableDefaultPermissions Parameters TrustedResourceOwners AllowExternalDataFiltering "
            "AllowFullTableExternalDataAccess",
        ),
        name="'settings'",
        arn="arn:{partition}:lakeformation:{region}:{account}:data-lake-settings",
    ),
    Kind(
        "AWS::LakeFormation::Permissions",
        service="lakeformation",
        # AWS gives only the grants that the caller may see; a read-only administrator of the lake sees all.
        # https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html
        list=Call(
            operation="ListPermissions",
            params={"MaxResults": 1000},
            take="PrincipalResourcePermissions",
            keep="Principal Resource Permissions PermissionsWithGrantOption",
            token="NextToken",
            next="NextToken",
        ),
        name="Resource.*.[Name, ResourceArn, TagKey, Id][] | [0]",
        # A grant has no name of its own.
        arn="",
    ),
    Kind(
        "AWS::LakeFormation::Resource",
        service="lakeformation",
        list=Call(
            operation="ListResources",
            params={"MaxResults": 1000},
            take="ResourceInfoList",
            keep="ResourceArn RoleArn LastModified HybridAccessEnabled WithFederation",
            token="NextToken",
            next="NextToken",
        ),
        name="ResourceArn",
        # A registered location has no ARN but that of the bucket or prefix.
        arn="arn:{partition}:lakeformation:{region}:{account}:resource:{ResourceArn}",
    ),
    Kind(
        "AWS::LakeFormation::Tag",
        service="lakeformation",
        within="AWS::Glue::Database",
        list=Call(
            operation="ListLFTags",
            params={"MaxResults": 1000},
            take="LFTags",
            keep="CatalogId TagKey TagValues",
        ),
        name="TagKey",
        arn="arn:{partition}:lakeformation:{region}:{account}:lf-tag:{TagKey}",
    ),
    Kind(
        "AWS::LakeFormation::OptIn",
        service="lakeformation",
        within="AWS::Glue::Database",
        list=Call(
            operation="ListLakeFormationOptIns",
            params={"MaxResults": 1000},
            take="LakeFormationOptInsInfoList",
            keep="Principal Resource",
            token="NextToken",
            next="NextToken",
        ),
        name="Resource.*.[Name, ResourceArn, TagKey, Id][] | [0]",
        arn="",
    ),
)
