"""Data is encrypted on its way."""

from wa_audit.rule import Resource, Verdict, check, connections, failed, not_applicable, not_evaluated, passed

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
