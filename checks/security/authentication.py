"""Nobody connects without saying who they are."""

from wa_audit.rule import Resource, Verdict, check, failed, not_applicable, passed


@check("AWS::MSK::Cluster")
def msk_authentication(cluster: Resource) -> Verdict:
    """Passes where clients must authenticate: by IAM, SASL/SCRAM or mutual TLS, and not at will.

    Without ClientAuthentication anybody who reaches the brokers may read and write. Serverless clusters know
    IAM alone.
    https://docs.aws.amazon.com/msk/latest/developerguide/kafka_apis_iam.html
    """
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("is serverless, and knows IAM alone", ClusterType="SERVERLESS")
    settings = (cluster["Provisioned"] or {}).get("ClientAuthentication") or {}
    sasl = settings.get("Sasl") or {}
    ways = [way for way in ("Iam", "Scram") if (sasl.get(way) or {}).get("Enabled")]
    ways += ["Tls"] if (settings.get("Tls") or {}).get("Enabled") else []
    if (settings.get("Unauthenticated") or {}).get("Enabled") or not ways:
        return failed("lets clients in that do not say who they are", ClientAuthentication=settings)
    return passed(f"authenticates clients by {', '.join(ways)}", ClientAuthentication=ways)
