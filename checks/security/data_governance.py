"""Who may see which data is decided in one place, and data says how sensitive it is."""

from typing import Any

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    arns,
    check,
    failed,
    lakes,
    not_applicable,
    not_evaluated,
    passed,
)

_DEFAULTS = ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")


@check("AWS::LakeFormation::DataLakeSettings")
def lakeformation_no_default_iam_allowed(
    settings: Resource, inventory: Inventory, *, governance: str
) -> Verdict:
    """New databases and tables are not open to whomever IAM lets in (IAM_ALLOWED_PRINCIPALS).

    That is what AWS sets until somebody changes it: Lake Formation's permissions then mean nothing for them.
    Informational where `governance` is `iam`: then IAM alone decides, and everybody knows. Says nothing of a
    Region without a Glue database, and claims nothing where the lake may hide some from who audits.
    https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html
    """
    if not inventory.of("AWS::Glue::Database", region=settings.region):
        return _nothing_seen(settings, inventory)
    open_ = [name for name in _DEFAULTS if _lets_in_everybody(settings[name])]
    if open_:
        return failed(
            f"gives {lakes.EVERYBODY} its default permissions: {', '.join(open_)}",
            severity="info" if governance == "iam" else None,
            defaults=open_,
        )
    return passed("leaves new databases and tables to Lake Formation")


def _nothing_seen(settings: Resource, inventory: Inventory) -> Verdict:
    """No database was seen: there is none, or who audits may see none."""
    if lakes.may_hide(inventory, settings.region):
        return not_evaluated("shows no database to who is no administrator of the lake")
    return not_applicable("governs no database in this Region")


def _lets_in_everybody(grants: list[dict[str, dict[str, str]]] | None) -> bool:
    return any(
        (grant.get("Principal") or {}).get("DataLakePrincipalIdentifier") == lakes.EVERYBODY
        for grant in grants or ()
    )


@check("AWS::LakeFormation::DataLakeSettings")
def lakeformation_admins_limited(settings: Resource, inventory: Inventory, *, most_admins: int) -> Verdict:
    """The lake has administrators, no more than `most_admins`, and each is a role that no workload runs as.

    An administrator can give itself every permission on every table. A user's keys do not expire, the root
    user cannot be bound, and a job that is an administrator makes one of all who can change the job. Says
    nothing of a Region without a Glue database, and claims nothing where the lake may hide some from who
    audits.
    https://docs.aws.amazon.com/lake-formation/latest/dg/initial-lf-config.html
    """
    if not inventory.of("AWS::Glue::Database", region=settings.region):
        return _nothing_seen(settings, inventory)
    admins = [admin.get("DataLakePrincipalIdentifier", "") for admin in settings["DataLakeAdmins"] or ()]
    if not admins:
        return failed("has no administrator", DataLakeAdmins=[])

    others = [admin for admin in admins if not arns.parse(admin).resource.startswith("role/")]
    if others:
        return failed(
            f"has an administrator that is no role: {arns.parse(others[0]).name}", DataLakeAdmins=admins
        )
    own = [admin for admin in admins if arns.parse(admin).account == settings.account]
    roles = [role for admin in own if (role := inventory.find("AWS::IAM::Role", admin)) is not None]
    working = [role.name for role in roles if inventory.has_source(role, "runs-as")]
    if working:
        return failed(f"has an administrator that workloads run as: {working[0]}", DataLakeAdmins=admins)
    if len(admins) > most_admins:
        return failed(f"has {len(admins)} administrators, more than {most_admins}", DataLakeAdmins=admins)
    return passed(f"has {len(admins)} administrators, all roles of people", DataLakeAdmins=admins)


@check("AWS::Glue::Database", "AWS::Glue::Table")
def lakeformation_no_iam_allowed_grants(entry: Resource, inventory: Inventory, *, governance: str) -> Verdict:
    """Nothing on a database or table of the catalog is granted to whomever IAM lets in
    (IAM_ALLOWED_PRINCIPALS).

    What existed before the account's defaults were changed goes on being open, by the grant Super (`ALL`). In
    hybrid access mode, where the data lies at a location that is registered for it and somebody has opted in,
    the grant is meant, and is for information. Lake Formation shows every grant to its administrators and
    read-only administrators alone: where the audit ran as anybody else and saw no such grant, nothing is
    claimed. Says nothing of the database `default`, of resource links, and nothing at all where `governance`
    is `iam`.
    https://docs.aws.amazon.com/lake-formation/latest/dg/upgrade-glue-lake-formation-background.html
    """
    if governance == "iam":
        return not_applicable("is governed by IAM alone, as the parameter governance says")
    is_table = entry.type == "AWS::Glue::Table"
    if (entry["DatabaseName"] if is_table else entry.name) == "default":
        return not_applicable("belongs to the database default")
    if entry["TargetTable" if is_table else "TargetDatabase"]:
        return not_applicable("is a link to what lies elsewhere")
    granted = lakes.open_to_everybody(entry, inventory)
    if not granted:
        if lakes.is_seen_whole(inventory, entry.region):
            return passed(f"grants nothing to {lakes.EVERYBODY}")
        return not_evaluated(
            f"shows no grant to {lakes.EVERYBODY}, and Lake Formation shows all to its administrators alone"
        )
    words = f"grants {', '.join(granted)} to {lakes.EVERYBODY}"
    if lakes.is_hybrid(entry, inventory):
        return failed(f"{words}, as hybrid access mode wants it", severity="info", Permissions=granted)
    return failed(words, Permissions=granted)


@check("AWS::LakeFormation::DataLakeSettings")
def lakeformation_lf_tags_used(
    settings: Resource, inventory: Inventory, *, governance: str, least_databases: int, least_percent: int
) -> Verdict:
    """A Region's lake has LF-Tags, and at least `least_percent` of its databases bear one.

    Grants by LF-Tag hold for what is tagged tomorrow, too; grants by name do not. Where the lake has
    administrators, and the audit ran as none of them, it may have been shown fewer databases and tags than
    there are, and nothing is claimed. Says nothing of a Region with fewer than `least_databases` databases,
    resource links not counted, and nothing at all where `governance` is `iam`.
    https://docs.aws.amazon.com/lake-formation/latest/dg/tag-based-access-control.html
    """
    if governance == "iam":
        return not_applicable("is governed by IAM alone, as the parameter governance says")
    databases = [
        each
        for each in inventory.of("AWS::Glue::Database", region=settings.region)
        if not each["TargetDatabase"]
    ]
    if lakes.may_hide(inventory, settings.region):
        return not_evaluated("may show fewer databases and LF-Tags than there are to who is no administrator")
    if len(databases) < least_databases:
        return not_applicable(f"governs {len(databases)} databases, fewer than {least_databases}")
    if not inventory.of("AWS::LakeFormation::Tag", region=settings.region):
        return failed(f"has no LF-Tag for its {len(databases)} databases", databases=len(databases))
    tagged = [each.name for each in databases if each["LFTags"]]
    words = f"has LF-Tags on {len(tagged)} of {len(databases)} databases"
    evidence: dict[str, Any] = {"databases": len(databases), "tagged": tagged}
    if 100 * len(tagged) < least_percent * len(databases):
        return failed(f"{words}, {least_percent} % are wanted", **evidence)
    return passed(words, **evidence)


@check("AWS::Glue::Table")
def lakeformation_location_registered(table: Resource, inventory: Inventory, *, governance: str) -> Verdict:
    """A table's data in S3 lies in a location that is registered with Lake Formation.

    Where it does not, whoever may read the bucket reads past every permission on the table. Registered is a
    location at or below a registered one, compared folder by folder. Says nothing of views, resource links,
    federated tables and data that is not in S3, and nothing at all where `governance` is `iam`.
    https://docs.aws.amazon.com/lake-formation/latest/dg/register-data-lake.html
    """
    if governance == "iam":
        return not_applicable("is governed by IAM alone, as the parameter governance says")
    if table["TableType"] == "VIRTUAL_VIEW" or table["TargetTable"] or table["FederatedTable"]:
        return not_applicable("holds no data of its own")
    location = arns.s3_location((table["StorageDescriptor"] or {}).get("Location"))
    if location is None:
        return not_applicable("holds no data in S3")

    path = f"{location.bucket}/{location.prefix}".strip("/") + "/"
    listed = inventory.of("AWS::LakeFormation::Resource", region=table.region)
    by_path: dict[str, str] = inventory.derived(
        f"registered in {table.region}", lambda: _registered_paths(listed)
    )
    for end in (place for place, letter in enumerate(path, start=1) if letter == "/"):
        if registered := by_path.get(path[:end]):
            return passed("lies in a registered location", ResourceArn=registered)
    return failed(f"lies in s3://{path.rstrip('/')}, which is not registered", Location=path.rstrip("/"))


def _registered_paths(listed: list[Resource]) -> dict[str, str]:
    """The ARNs of registered locations by bucket and folder, with a slash at the end."""
    paths: dict[str, str] = {}
    for resource in listed:
        paths.setdefault(
            arns.parse(resource["ResourceArn"]).resource.strip("/*") + "/", resource["ResourceArn"]
        )
    return paths


@check("AWS::S3::Bucket")
def s3_bucket_classification_tag(bucket: Resource, *, tag_keys: list[str], values: list[str]) -> Verdict:
    """A bucket says by a tag how sensitive its data is: one of `tag_keys`, in any case, with one of `values`.

    Buckets that deployment tools make for their assets are not judged.
    """
    if bucket.name.startswith(_ASSETS):
        return not_applicable("holds what a deployment tool keeps for itself")
    wanted = {key.lower() for key in tag_keys}
    found = {key: value for key, value in bucket.tags.items() if key.lower() in wanted}
    good = [value for value in found.values() if value.lower() in {value.lower() for value in values}]
    if good:
        return passed(f"is classified as {good[0]}", **found)
    if found:
        key, value = next(iter(found.items()))
        return failed(f"has {key}={value}, which is none of {', '.join(values)}", **found)
    return failed(
        f"has no tag that says how sensitive its data is, such as {tag_keys[0]}", tags=sorted(bucket.tags)
    )


_ASSETS = ("cdk-", "aws-sam-cli-", "elasticbeanstalk-", "aws-glue-assets-", "cf-templates-")
