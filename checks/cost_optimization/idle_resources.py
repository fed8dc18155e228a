"""What has no work to do does not go on costing money."""

from wa_audit.rule import (
    Resource,
    Verdict,
    activity,
    check,
    failed,
    not_applicable,
    passed,
)


@check("AWS::EMR::Cluster")
def emr_auto_termination(cluster: Resource, *, most_idle_seconds: int) -> Verdict:
    """Passes where the cluster ends after its last step, or after 4 hours (most_idle_seconds) without work.

    A pass mentions termination protection, which keeps the cluster alive against this intent. Clusters tagged
    wa-audit:always-on=approved, and clusters that are terminating or terminated, are not judged.
    """
    if state := activity.ending(cluster["Status"]):
        return not_applicable(f"is {state}", State=state)
    note = ", but is protected from termination" if cluster["TerminationProtected"] else ""
    if cluster["AutoTerminate"]:
        return passed(f"ends after its last step{note}", AutoTerminate=True)
    timeout = (cluster["AutoTerminationPolicy"] or {}).get("IdleTimeout")
    if timeout is not None and timeout <= most_idle_seconds:
        return passed(f"ends after {timeout} idle seconds{note}", IdleTimeout=timeout)
    if cluster.tags.get("wa-audit:always-on") == "approved":
        return not_applicable("is approved to run at all times")
    if timeout is None:
        return failed("runs on when it has no work: it has no auto-termination policy", AutoTerminate=False)
    return failed(f"runs on for {timeout} idle seconds, more than {most_idle_seconds}", IdleTimeout=timeout)
