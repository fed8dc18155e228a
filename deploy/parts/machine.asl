{
  "Comment": "wa-audit across an organization: its accounts are listed, audited in batches, and put together.",
  "StartAt": "Plan",
  "TimeoutSeconds": 86400,
  "States": {
    "Plan": {
      "Type": "Task",
      "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
      "Parameters": {
        "FunctionName": "${Plan.Arn}",
        "Payload": {"started.$": "$$.Execution.StartTime"}
      },
      "OutputPath": "$.Payload",
      "TimeoutSeconds": 960,
      "Retry": [
        {"ErrorEquals": ["Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 8, "MaxDelaySeconds": 120, "JitterStrategy": "FULL"},
        {"ErrorEquals": ["OutputError", "Sandbox.Timedout", "Runtime.ExitError"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 2}
      ],
      "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "NotPlanned"}],
      "Next": "Accounts"
    },
    "Accounts": {
      "Type": "Map",
      "ItemReader": {
        "Resource": "arn:${AWS::Partition}:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "${Reports}", "Key.$": "$.key"}
      },
      "ItemBatcher": {
        "MaxItemsPerBatch": ${AccountsPerBatch},
        "BatchInput": {
          "job_queue": "${JobQueue}",
          "job_definition": "${JobDefinition}",
          "shards.$": "States.Format('s3://${Reports}/{}', $.key)"
        }
      },
      "MaxConcurrency": ${MaxConcurrency},
      "ToleratedFailurePercentage": ${ToleratedFailurePercentage},
      "Label": "Accounts",
      "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Scan",
        "States": {
          "Scan": {
            "Type": "Task",
            "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
            "Parameters": {
              "FunctionName": "${Scan.Arn}",
              "Payload": {"batch.$": "$", "attempt.$": "$$.State.RetryCount"}
            },
            "OutputPath": "$.Payload",
            "TimeoutSeconds": 960,
            "Retry": [
              {"ErrorEquals": ["Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 10, "MaxDelaySeconds": 120, "JitterStrategy": "FULL"},
              {"ErrorEquals": ["OutputError"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 3, "JitterStrategy": "FULL"},
              {"ErrorEquals": ["Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"], "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 3}
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Outlasted"}],
            "Next": "More"
          },
          "More": {
            "Type": "Choice",
            "Choices": [
              {"Not": {"Variable": "$.Items[0]", "IsPresent": true}, "Next": "Done"},
              {"Variable": "$.invocation", "NumericGreaterThan": 8, "Next": "Outlasted"}
            ],
            "Default": "Scan"
          },
          "Outlasted": {
            "Type": "Choice",
            "Choices": [
              {
                "And": [
                  {"Variable": "$.BatchInput.job_queue", "IsPresent": true},
                  {"Not": {"Variable": "$.BatchInput.job_queue", "StringEquals": ""}}
                ],
                "Next": "Jobs"
              },
              {"Variable": "$.error", "IsPresent": true, "Next": "Failed"}
            ],
            "Default": "Done"
          },
          "Jobs": {
            "Type": "Map",
            "ItemsPath": "$.Items",
            "ItemSelector": {"shard.$": "$$.Map.Item.Value", "settings.$": "$.BatchInput"},
            "ItemProcessor": {
              "ProcessorConfig": {"Mode": "INLINE"},
              "StartAt": "Job",
              "States": {
                "Job": {
                  "Type": "Task",
                  "Resource": "arn:${AWS::Partition}:states:::batch:submitJob.sync",
                  "Parameters": {
                    "JobName.$": "States.Format('wa-audit-{}-{}', $.shard.run, $.shard.account)",
                    "JobQueue.$": "$.settings.job_queue",
                    "JobDefinition.$": "$.settings.job_definition",
                    "Parameters": {"shards.$": "$.settings.shards", "account.$": "$.shard.account"}
                  },
                  "TimeoutSeconds": 86400,
                  "Retry": [{"ErrorEquals": ["Batch.BatchException", "Batch.ServerException", "Batch.TooManyRequestsException"], "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 6, "JitterStrategy": "FULL"}],
                  "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "NotAudited"}],
                  "Next": "Audited"
                },
                "NotAudited": {"Type": "Pass", "End": true},
                "Audited": {"Type": "Pass", "End": true}
              }
            },
            "ResultPath": "$.jobs",
            "Next": "Done"
          },
          "Failed": {"Type": "Fail", "Error": "BatchFailed", "Cause": "The function failed for this batch; accounts of it that have no object are told as never scanned"},
          "Done": {"Type": "Succeed"}
        }
      },
      "ResultWriter": {
        "Resource": "arn:${AWS::Partition}:states:::s3:putObject",
        "Parameters": {"Bucket": "${Reports}", "Prefix": "executions"}
      },
      "ResultPath": "$.results",
      "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Merge"}],
      "Next": "Merge"
    },
    "Merge": {
      "Type": "Task",
      "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
      "Parameters": {
        "FunctionName": "${Merge.Arn}",
        "Payload": {"run.$": "$.run", "shards.$": "$.shards"}
      },
      "ResultSelector": {"merged.$": "$.Payload"},
      "ResultPath": "$.organization",
      "TimeoutSeconds": 960,
      "Retry": [
        {"ErrorEquals": ["Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 8, "MaxDelaySeconds": 120, "JitterStrategy": "FULL"},
        {"ErrorEquals": ["OutputError", "Sandbox.Timedout", "Runtime.ExitError"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 2}
      ],
      "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "NotMerged"}],
      "Next": "Whole"
    },
    "Whole": {
      "Type": "Choice",
      "Choices": [{"Variable": "$.error", "IsPresent": true, "Next": "Incomplete"}],
      "Default": "Complete"
    },
    "NotPlanned": {"Type": "Fail", "Error": "NotPlanned", "Cause": "The accounts could not be listed; the log of the function says why"},
    "NotMerged": {"Type": "Fail", "Error": "NotMerged", "Cause": "The accounts were audited, and could not be put together; the log of the function says why"},
    "Incomplete": {"Type": "Fail", "Error": "TooManyBatchesFailed", "Cause": "More batches failed than are tolerated; organization.json names the accounts that were not audited"},
    "Complete": {"Type": "Succeed"}
  }
}
