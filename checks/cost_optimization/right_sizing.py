"""What is paid for fits what is needed."""

from wa_audit.rule import Resource, Verdict, check, failed, passed, wasted


@check("AWS::Redshift::Cluster")
def redshift_node_generation(cluster: Resource, *, old_families: list[str]) -> Verdict:
    """Passes where the nodes keep storage apart from compute (RA3 and newer).

    On DC and DS nodes whoever needs more storage pays for compute as well.
    https://docs.aws.amazon.com/redshift/latest/mgmt/working-with-clusters.html
    """
    family = str(cluster["NodeType"]).partition(".")[0]
    if family in old_families:
        return failed(
            f"runs on {cluster['NodeType']}, RA3 or newer is wanted",
            NodeType=cluster["NodeType"],
            waste=wasted.unknown("how many RA3 nodes its data and its load would need is not known"),
        )
    return passed(f"runs on {cluster['NodeType']}", NodeType=cluster["NodeType"])
