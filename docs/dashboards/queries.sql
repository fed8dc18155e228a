-- Questions to a history. Each runs in Athena (database wa_audit, after athena.sql) and in DuckDB (after duckdb.sql) as it
-- is. Only whole audits are compared: what was narrowed or stopped before its end is left out.

-- name: score over time
SELECT scores.account, scores.finished_at, score, coverage, failed, not_evaluated + errors AS undecided
FROM scores JOIN audits ON audits.run = scores.run
WHERE pillar = '' AND pipeline = ''
ORDER BY 1, 2;

-- name: pillars over time
SELECT scores.account, scores.finished_at, pillar, score, coverage, failed
FROM scores JOIN audits ON audits.run = scores.run
WHERE pillar <> '' AND pipeline = ''
ORDER BY 1, 2, 3;

-- name: pipelines over time
SELECT scores.account, scores.finished_at, pipeline, score, coverage, failed
FROM scores JOIN audits ON audits.run = scores.run
WHERE pipeline <> '' AND pillar = ''
ORDER BY 1, 2, 3;

-- name: pipelines today, worst first
SELECT scores.account, pipeline, score, coverage, failed, high_risk, medium_risk
FROM scores JOIN audits ON audits.run = scores.run
WHERE age = 1 AND pipeline <> '' AND pillar = ''
ORDER BY score IS NULL, score, pipeline;

-- name: open findings over time, by pillar and severity
SELECT audits.account, finished_at, pillar, severity, count(*) AS failing
FROM findings JOIN audits ON audits.run = findings.run
WHERE status = 'fail'
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4;

-- name: what fails today, by rule
SELECT audits.account, rule, rule_title, severity, count(*) AS resources
FROM findings JOIN audits ON audits.run = findings.run
WHERE age = 1 AND status = 'fail'
GROUP BY 1, 2, 3, 4
ORDER BY 5 DESC, 2;

-- name: changes since the audit before
SELECT account, became, pillar, severity, rule, resource_arn
FROM changes
ORDER BY 1, 2, 3, 4, 5, 6;

-- name: open the longest
SELECT findings.account, severity, rule, resource_arn, min(finished_at) AS first_seen
FROM findings JOIN audits ON audits.run = findings.run
WHERE status = 'fail'
  AND finding_id IN (
    SELECT finding_id FROM findings JOIN audits ON audits.run = findings.run WHERE age = 1 AND status = 'fail'
  )
GROUP BY 1, 2, 3, 4
ORDER BY 5, 3, 4;

-- name: what could not be evaluated today, and the permission that would cure it
SELECT audits.account, missing_action, count(*) AS findings
FROM findings JOIN audits ON audits.run = findings.run
WHERE age = 1 AND status = 'not_evaluated'
GROUP BY 1, 2
ORDER BY 3 DESC, 2;
