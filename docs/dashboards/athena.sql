-- The history in Athena: two tables over what --history keeps, and the views that queries.sql and the dashboards read.
-- Change s3://acme-audits/wa-audit to your place, 123456789012 to your accounts with commas between them, and
-- 2026-01-01 to the day of your first run. Athena runs one statement at a time.
-- Partitions are computed and not looked up, so that a run can be queried as soon as it is kept:
-- https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html

CREATE DATABASE IF NOT EXISTS wa_audit;

CREATE EXTERNAL TABLE IF NOT EXISTS wa_audit.findings (
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
  run string
)
PARTITIONED BY (account_id string, audit_date string)
STORED AS PARQUET
LOCATION 's3://acme-audits/wa-audit/findings/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'enum',
  'projection.account_id.values' = '123456789012',
  'projection.audit_date.type' = 'date',
  'projection.audit_date.format' = 'yyyy-MM-dd',
  'projection.audit_date.range' = '2026-01-01,NOW',
  'projection.audit_date.interval' = '1',
  'projection.audit_date.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://acme-audits/wa-audit/findings/account_id=${account_id}/audit_date=${audit_date}/'
);

CREATE EXTERNAL TABLE IF NOT EXISTS wa_audit.runs (
  version string,
  run string,
  account string,
  finished string,
  pillar string,
  pipeline string,
  score double,
  coverage double,
  high_risk int,
  medium_risk int,
  passed int,
  failed int,
  not_applicable int,
  not_evaluated int,
  errors int,
  suppressed int,
  complete boolean,
  narrowed_to string,
  rulebook string,
  rules int,
  resources int
)
PARTITIONED BY (account_id string, audit_date string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://acme-audits/wa-audit/runs/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account_id.type' = 'enum',
  'projection.account_id.values' = '123456789012',
  'projection.audit_date.type' = 'date',
  'projection.audit_date.format' = 'yyyy-MM-dd',
  'projection.audit_date.range' = '2026-01-01,NOW',
  'projection.audit_date.interval' = '1',
  'projection.audit_date.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://acme-audits/wa-audit/runs/account_id=${account_id}/audit_date=${audit_date}/'
);

CREATE OR REPLACE VIEW wa_audit.scores AS
SELECT *, CAST(from_iso8601_timestamp(finished) AS timestamp) AS finished_at
FROM wa_audit.runs;

-- The whole audits of each account, the last one first: `age` 1 is the last, 2 the one before.
CREATE OR REPLACE VIEW wa_audit.audits AS
SELECT run, account, finished_at,
  row_number() OVER (PARTITION BY account ORDER BY finished_at DESC, run DESC) AS age
FROM wa_audit.scores
WHERE pillar = '' AND pipeline = '' AND narrowed_to = '' AND complete;

-- What became of each failure of the last two whole audits. Fixed is what passes now and nothing else: a finding that is
-- not there any more while the list that held it could not be read is not evaluated.
CREATE OR REPLACE VIEW wa_audit.changes AS
SELECT
  coalesce(today.account_id, before.account_id) AS account,
  coalesce(today.finding_id, before.finding_id) AS finding_id,
  coalesce(today.pillar, before.pillar) AS pillar,
  coalesce(today.severity, before.severity) AS severity,
  coalesce(today.rule, before.rule) AS rule,
  coalesce(today.resource_arn, before.resource_arn) AS resource_arn,
  CASE
    WHEN before.status = 'fail' AND today.status = 'fail' THEN 'open'
    WHEN today.status = 'fail' THEN 'new'
    WHEN today.status = 'pass' THEN 'fixed'
    WHEN today.status = 'suppressed' THEN 'suppressed'
    WHEN today.status = 'not_applicable' THEN 'no longer applies'
    WHEN today.status IS NOT NULL THEN 'not evaluated'
    WHEN concat(before.account_id, ' ', before.rule, ' ', before.resource_type) IN (
      SELECT concat(account_id, ' ', rule, ' ', resource_type)
      FROM wa_audit.findings JOIN wa_audit.audits ON audits.run = findings.run
      WHERE age = 1 AND resource_name = '*' AND status = 'not_evaluated'
    ) THEN 'not evaluated'
    ELSE 'no longer seen'
  END AS became
FROM
  (SELECT findings.* FROM wa_audit.findings JOIN wa_audit.audits ON audits.run = findings.run WHERE age = 1) AS today
  FULL JOIN
  (SELECT findings.* FROM wa_audit.findings JOIN wa_audit.audits ON audits.run = findings.run WHERE age = 2) AS before
  ON before.finding_id = today.finding_id AND before.account_id = today.account_id
WHERE (today.status = 'fail' OR before.status = 'fail')
  AND coalesce(today.account_id, before.account_id) IN (SELECT account FROM wa_audit.audits WHERE age = 2);
