"""Data is encrypted on its way."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    buckets,
    check,
    connections,
    failed,
    not_applicable,
    not_evaluated,
    passed,
    policy,
    warehouses,
)

# Glue's own connectors to databases, whose setting of TLS Glue does not return under one name.
_DATABASES = frozenset(
    {
        "AZURESQL",
        "DB2",
        "DOCUMENTDB",
        "MYSQL",
        "ORACLE",
        "POSTGRESQL",
        "SAPHANA",
        "SQLSERVER",
        "TERADATA",
        "VERTICA",
    }
)


@check("AWS::Glue::Connection")
def glue_connection_ssl(connection: Resource) -> Verdict:
    """Passes where the connection cannot be made without TLS.

    JDBC and MongoDB: JDBC_ENFORCE_SSL is "true", or the URL itself demands TLS (sslmode=require or
    stricter, ssl=true, encrypt=true, tcps, mongodb+srv). Kafka: KAFKA_SSL_ENABLED is not "false"; true is
    its default. Out of scope are network connections, which carry no data of their own, marketplace and
    custom connectors, and SaaS connections, which speak HTTPS only.
    """
    type_ = connection["ConnectionType"]
    properties = connection["ConnectionProperties"] or {}
    if type_ == "KAFKA":
        enabled = str(properties.get("KAFKA_SSL_ENABLED", "true")).lower()
        if enabled == "false":
            return failed("reaches Kafka without TLS", KAFKA_SSL_ENABLED=enabled)
        return passed("reaches Kafka over TLS", KAFKA_SSL_ENABLED=enabled)
    if type_ not in ("JDBC", "MONGODB", *_DATABASES):
        return not_applicable(
            f"is of type {type_}, which has no TLS setting of its own", ConnectionType=type_
        )

    for name in ("JDBC_ENFORCE_SSL", "ENFORCE_SSL"):
        if str(properties.get(name)).lower() == "true":
            return passed(f"demands TLS by {name}", **{name: "true"})
    for name in ("JDBC_CONNECTION_URL", "CONNECTION_URL"):
        if connections.requires_tls(properties.get(name)):
            return passed(f"demands TLS in its {name}", ConnectionType=type_)
    enforced = properties.get("JDBC_ENFORCE_SSL")
    if type_ in _DATABASES and enforced is None:
        return not_evaluated(f"is of type {type_} and does not say whether it uses TLS", ConnectionType=type_)
    return failed("can connect without TLS", ConnectionType=type_, JDBC_ENFORCE_SSL=enforced)


@check("AWS::S3::Bucket")
def s3_bucket_tls_only(bucket: Resource) -> Verdict:
    """A bucket's policy refuses requests without TLS.

    Passes where a Deny for everyone, of all S3 actions ("s3:*" or "*"), on the bucket and on its objects,
    has aws:SecureTransport false or s3:TlsVersion less than 1.2 or more as its one condition. Two such
    statements may share bucket and objects. A Deny of the one alone is named as partial; a Deny with a
    further condition, or for some callers or actions, refuses too little, and an Allow with SecureTransport
    true refuses nothing. Whatever else the policy says does not matter. No policy fails. Directory and
    table buckets speak HTTPS alone and are not judged.
    """
    if not buckets.is_general_purpose(bucket.name):
        return not_applicable("is a bucket of a kind that speaks HTTPS alone")

    statements = policy.parse(bucket["Policy"])
    denies = [s for s in statements if _refuses_plain_http(s) and s.action("s3:?*")]
    on_bucket = any(deny.resource(bucket.arn) for deny in denies)
    on_objects = any(deny.resource(f"{bucket.arn}/*") for deny in denies)
    if on_bucket and on_objects:
        return passed("refuses requests without TLS", Statement=denies[0].label)
    if on_bucket or on_objects:
        part = "its objects and not on the bucket" if on_objects else "the bucket and not on its objects"
        return failed(
            f"refuses requests without TLS on {part}",
            Statement=denies[0].label,
            Resource=list(denies[0].resources),
        )
    if bucket["Policy"] is None:
        return failed("has no policy that refuses requests without TLS")
    return failed("does not refuse all requests without TLS")


def _refuses_plain_http(statement: policy.Statement) -> bool:
    """Whether it denies everyone what comes without TLS, or an old TLS, on that condition alone."""
    if statement.allows or statement.other_principals or policy.EVERYONE not in statement.principals:
        return False
    if len(statement.conditions) != 1:
        return False
    condition = statement.conditions[0]
    if condition.quantifier:
        return False
    if condition.key == "aws:securetransport":
        compared = (condition.operator, [value.lower() for value in condition.values])
        return compared in (("bool", ["false"]), ("stringequals", ["false"]), ("stringnotequals", ["true"]))
    if condition.key == "s3:tlsversion" and condition.operator == "numericlessthan":
        return all(_number(value) >= 1.2 for value in condition.values)
    return False


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


@check("AWS::Redshift::Cluster", "AWS::RedshiftServerless::Workgroup")
def redshift_require_ssl(cluster: Resource, inventory: Inventory) -> Verdict:
    """Passes where the parameter require_ssl is true in a parameter group that is in effect, or, of a
    serverless workgroup, among its own parameters.

    default.redshift-1.0 has it false; default.redshift-2.0, which new clusters get since January 2025, true.
    A change that waits for a reboot is not in effect.
    https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-ssl-support.html
    """
    if cluster.type == "AWS::RedshiftServerless::Workgroup":
        value = {p["parameterKey"]: p.get("parameterValue") for p in cluster["configParameters"] or ()}.get(
            "require_ssl"
        )
        if value is None:
            return not_evaluated("does not say whether it requires TLS")
        if value != "true":
            return failed(f"accepts connections without TLS: require_ssl is {value}", require_ssl=value)
        return passed("requires TLS", require_ssl=value)
    names = []
    for group, values in warehouses.parameters(cluster, inventory):
        name, value = group["ParameterGroupName"], values.get("require_ssl")
        names.append(name)
        if value is None:
            return not_evaluated(f"uses {name}, which does not say whether it requires TLS")
        if value != "true":
            return failed(f"accepts connections without TLS: require_ssl is {value}", group=name)
        if group.get("ParameterApplyStatus") == "pending-reboot":
            return failed("requires TLS only after its next reboot", ParameterApplyStatus="pending-reboot")
    return passed("requires TLS", groups=names)


@check("AWS::MSK::Cluster")
def msk_encryption_in_transit(cluster: Resource) -> Verdict:
    """Passes where clients and brokers talk TLS alone, among each other too.

    Serverless clusters always do.
    """
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless, and always encrypts", ClusterType="SERVERLESS")
    transit = ((cluster["Provisioned"] or {}).get("EncryptionInfo") or {}).get("EncryptionInTransit") or {}
    clients = transit.get("ClientBroker", "TLS")
    if clients != "TLS":
        return failed(f"lets clients connect with {clients}, TLS is wanted", ClientBroker=clients)
    if transit.get("InCluster") is False:
        return failed("does not encrypt between its brokers", InCluster=False)
    return passed("encrypts between clients and brokers, and among brokers", ClientBroker=clients)


@check("AWS::OpenSearchService::Domain")
def opensearch_tls(domain: Resource, *, policies: list[str]) -> Verdict:
    """Passes where the domain enforces HTTPS by a policy of TLS 1.2 or newer, and encrypts between its nodes.

    `policies` are the beginnings of the names of such policies: AWS keeps adding to them.
    https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainEndpointOptions.html
    """
    endpoint = domain["DomainEndpointOptions"] or {}
    name = endpoint.get("TLSSecurityPolicy") or ""
    if not endpoint.get("EnforceHTTPS"):
        return failed("answers plain HTTP", EnforceHTTPS=endpoint.get("EnforceHTTPS"))
    if not name.startswith(tuple(policies)):
        return failed(f"accepts TLS older than 1.2, by {name or 'no policy'}", TLSSecurityPolicy=name)
    if not (domain["NodeToNodeEncryptionOptions"] or {}).get("Enabled"):
        return failed(
            "does not encrypt between its nodes",
            NodeToNodeEncryptionOptions=domain["NodeToNodeEncryptionOptions"],
        )
    return passed("enforces TLS, between its nodes too", TLSSecurityPolicy=name)


@check("AWS::QuickSight::DataSource")
def quicksight_datasource_ssl(source: Resource) -> Verdict:
    """QuickSight speaks TLS with a database (SslProperties.DisableSsl is not true).

    Athena, S3 and other services are reached by TLS in any case, and files by none.
    https://docs.aws.amazon.com/quicksight/latest/APIReference/API_SslProperties.html
    """
    if source["Type"] not in _QUICKSIGHT_DATABASES:
        return not_applicable(f"is of type {source['Type']}, no database")
    if (source["SslProperties"] or {}).get("DisableSsl"):
        return failed("has TLS switched off", DisableSsl=True)
    return passed("is reached by TLS", Type=source["Type"])


_QUICKSIGHT_DATABASES = (
    "AURORA",
    "AURORA_POSTGRESQL",
    "EXASOL",
    "MARIADB",
    "MYSQL",
    "ORACLE",
    "POSTGRESQL",
    "PRESTO",
    "RDS",
    "REDSHIFT",
    "SQLSERVER",
    "STARBURST",
    "TERADATA",
    "TRINO",
)
