-- The history in DuckDB: the same names and columns as in Athena, over a folder `audits` beside you:
--   duckdb -init duckdb.sql
-- Another place: change 'audits/'; s3://bucket/prefix/ works too, after INSTALL httpfs and CREATE SECRET.

CREATE OR REPLACE VIEW findings AS
SELECT *
FROM read_parquet(
  'audits/findings/*/*/*.parquet',
  union_by_name = true,
  hive_partitioning = true,
  hive_types = {'account_id': VARCHAR, 'audit_date': VARCHAR}
);

CREATE OR REPLACE VIEW runs AS
SELECT *
FROM read_json(
  'audits/runs/*/*/*.jsonl',
  format = 'newline_delimited',
  columns = {
    version: 'VARCHAR',
    run: 'VARCHAR',
    account: 'VARCHAR',
    finished: 'VARCHAR',
    pillar: 'VARCHAR',
    pipeline: 'VARCHAR',
    score: 'DOUBLE',
    coverage: 'DOUBLE',
    high_risk: 'INTEGER',
    medium_risk: 'INTEGER',
    passed: 'INTEGER',
    failed: 'INTEGER',
    not_applicable: 'INTEGER',
    not_evaluated: 'INTEGER',
    errors: 'INTEGER',
    suppressed: 'INTEGER',
    complete: 'BOOLEAN',
    narrowed_to: 'VARCHAR',
    rulebook: 'VARCHAR',
    rules: 'INTEGER',
    resources: 'INTEGER'
  },
  hive_partitioning = true,
  hive_types = {'account_id': VARCHAR, 'audit_date': VARCHAR}
);

CREATE OR REPLACE VIEW scores AS
SELECT *, CAST(finished AS TIMESTAMP) AS finished_at
FROM runs;

-- The whole audits of each account, the last one first: `age` 1 is the last, 2 the one before.
CREATE OR REPLACE VIEW audits AS
SELECT run, account, finished_at,
  row_number() OVER (PARTITION BY account ORDER BY finished_at DESC, run DESC) AS age
FROM scores
WHERE pillar = '' AND pipeline = '' AND narrowed_to = '' AND complete;

-- What became of each failure of the last two whole audits. Fixed is what passes now and nothing else: a finding that is
-- not there any more while the list that held it could not be read is not evaluated.
CREATE OR REPLACE VIEW changes AS
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
      FROM findings JOIN audits ON audits.run = findings.run
      WHERE age = 1 AND resource_name = '*' AND status = 'not_evaluated'
    ) THEN 'not evaluated'
    ELSE 'no longer seen'
  END AS became
FROM
  (SELECT findings.* FROM findings JOIN audits ON audits.run = findings.run WHERE age = 1) AS today
  FULL JOIN
  (SELECT findings.* FROM findings JOIN audits ON audits.run = findings.run WHERE age = 2) AS before
  ON before.finding_id = today.finding_id AND before.account_id = today.account_id
WHERE (today.status = 'fail' OR before.status = 'fail')
  AND coalesce(today.account_id, before.account_id) IN (SELECT account FROM audits WHERE age = 2);
