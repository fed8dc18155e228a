"""Amazon EventBridge Pipes."""

from wa_audit.collect.kinds import Call, Kind

KINDS = (
    Kind(
        "AWS::Pipes::Pipe",
        service="pipes",
        list=Call(
            operation="ListPipes",
            params={"Limit": 100},
            take="Pipes",
            keep="Name Arn CurrentState DesiredState CreationTime Source Target Enrichment",
        ),
        arn="{Arn}",
        details=(
            # Filters, input templates and HTTP parameters are the user's own text and are not kept.
            Call(
                operation="DescribePipe",
                args={"Name": "Name"},
                take="{RoleArn: RoleArn, LogConfiguration: LogConfiguration,"
                " KmsKeyIdentifier: KmsKeyIdentifier, Tags: Tags, SourceParameters: SourceParameters,"
                " TargetParameters: TargetParameters.{LambdaFunctionParameters: LambdaFunctionParameters,"
                " StepFunctionStateMachineParameters: StepFunctionStateMachineParameters,"
                " EcsTaskParameters: EcsTaskParameters.{TaskDefinitionArn: TaskDefinitionArn,"
                " LaunchType: LaunchType}}}",
                keep="RoleArn LogConfiguration KmsKeyIdentifier Tags SourceParameters TargetParameters",
                drop="SourceParameters.FilterCriteria",
                gone=("NotFoundException",),
            ),
        ),
        scrub=("SourceParameters",),
    ),
)
