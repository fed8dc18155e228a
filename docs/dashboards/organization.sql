-- The accounts of an organization in Athena: what 'wa-audit org scan' keeps of each, by run.
-- Change s3://acme-audits/organization to your place. Athena runs one statement at a time.
-- Partitions are computed and not looked up, so that a run can be queried as soon as it is written, and no list of runs or
-- accounts must be kept, in which one could be missing. So every query names its run, and of the second table its account,
-- as literals: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-dynamic-id-partitioning.html
-- Athena reads whatever lies in a run's folder: where 'wa-audit org merge' says that it passed something over, take that
-- away first. An account that could not be entered has a file without rows; merge says which these are, and why.

CREATE DATABASE IF NOT EXISTS wa_audit;

-- All accounts of a run: WHERE run = '20261126T060000Z'.
CREATE EXTERNAL TABLE IF NOT EXISTS wa_audit.organization_findings (
  finding_id string,
  account string,
  region string,
  pillar string,
  theme string,
  rule string,
  rule_title string,
  severity string,
  status string,
  resource_type string,
  resource_name string,
  resource_arn string,
  message string,
  evidence string,
  missing_action string,
  best_practices string,
  fix string,
  audited_at string,
  pipelines string,
  suppressed_by string,
  suppressed_until string,
  in_baseline string,
  waste_usd_a_month string,
  waste_confidence string,
  waste_assumptions string,
  carbon_saving_percent string
)
PARTITIONED BY (run string)
STORED AS PARQUET
LOCATION 's3://acme-audits/organization/shards/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = 's3://acme-audits/organization/shards/run=${run}/'
);

-- One account of a run, or some, of which alone the files are read: WHERE run = '…' AND account_id IN ('123456789012').
CREATE EXTERNAL TABLE IF NOT EXISTS wa_audit.organization_account_findings (
  finding_id string,
  account string,
  region string,
  pillar string,
  theme string,
  rule string,
  rule_title string,
  severity string,
  status string,
  resource_type string,
  resource_name string,
  resource_arn string,
  message string,
  evidence string,
  missing_action string,
  best_practices string,
  fix string,
  audited_at string,
  pipelines string,
  suppressed_by string,
  suppressed_until string,
  in_baseline string,
  waste_usd_a_month string,
  waste_confidence string,
  waste_assumptions string,
  carbon_saving_percent string
)
PARTITIONED BY (run string, account_id string)
STORED AS PARQUET
LOCATION 's3://acme-audits/organization/shards/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'projection.account_id.type' = 'injected',
  'storage.location.template' = 's3://acme-audits/organization/shards/run=${run}/account_id=${account_id}/'
);
