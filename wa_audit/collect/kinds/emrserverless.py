"""Amazon EMR Serverless."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::EMRServerless::Application",
        service="emr-serverless",
        list=Call(
            operation="ListApplications",
            params={
                "maxResults": 50,
                # A terminated application is listed for a while longer.
                "states": ["CREATING", "CREATED", "STARTING", "STARTED", "STOPPING", "STOPPED"],
            },
            take="applications",
            keep="id arn name releaseLabel type state createdAt architecture",
        ),
        # A name is not required.
        name="name || id",
        arn="{arn}",
        details=(
            Call(
                operation="GetApplication",
                args={"applicationId": "id"},
                take="application.merge(@, {Tags: tags})",
                keep="initialCapacity maximumCapacity autoStartConfiguration autoStopConfiguration "
                "networkConfiguration runtimeConfiguration monitoringConfiguration "
                "diskEncryptionConfiguration Tags",
                gone=("ResourceNotFoundException",),
            ),
        ),
        scrub=("runtimeConfiguration", "monitoringConfiguration"),
    ),
)
