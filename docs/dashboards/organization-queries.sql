-- Questions to a run over an organization. Each runs in Athena after organization.sql as it is, but for the run, the run
-- before it and the account. The run is told by 'wa-audit org merge', and stands in shards.json.

-- name: rules that fail in most accounts
SELECT rule, max(rule_title) AS title, severity, count(DISTINCT account) AS accounts, count(*) AS failures
FROM wa_audit.organization_findings
WHERE run = '20261126T060000Z' AND status = 'fail'
GROUP BY rule, severity
ORDER BY accounts DESC, failures DESC, rule;

-- name: accounts by their failures
SELECT account,
  sum(CASE WHEN status = 'fail' AND severity IN ('critical', 'high') THEN 1 ELSE 0 END) AS high_risk,
  sum(CASE WHEN status = 'fail' THEN 1 ELSE 0 END) AS failures,
  sum(CASE WHEN status = 'pass' THEN 1 ELSE 0 END) AS passes,
  sum(CASE WHEN status IN ('not_evaluated', 'error') THEN 1 ELSE 0 END) AS undecided
FROM wa_audit.organization_findings
WHERE run = '20261126T060000Z'
GROUP BY account
ORDER BY high_risk DESC, failures DESC, account;

-- name: what could not be judged, and for want of which permission
SELECT missing_action, count(DISTINCT account) AS accounts, count(*) AS findings
FROM wa_audit.organization_findings
WHERE run = '20261126T060000Z' AND status = 'not_evaluated'
GROUP BY missing_action
ORDER BY findings DESC, missing_action;

-- name: what is new since the run before
SELECT today.account, today.severity, today.rule, today.resource_arn, today.message
FROM wa_audit.organization_findings AS today
LEFT JOIN wa_audit.organization_findings AS before
  ON before.run = '20261125T060000Z' AND before.finding_id = today.finding_id AND before.account = today.account
WHERE today.run = '20261126T060000Z' AND today.status = 'fail' AND coalesce(before.status, '') <> 'fail'
ORDER BY today.account, today.severity, today.rule, today.resource_arn;

-- name: the failures of one account
SELECT severity, pillar, rule, resource_arn, message, fix
FROM wa_audit.organization_account_findings
WHERE run = '20261126T060000Z' AND account_id = '123456789012' AND status = 'fail'
ORDER BY severity, rule, resource_arn;

-- name: findings that stand there twice
SELECT finding_id, count(*) AS times, min("$path") AS one, max("$path") AS other
FROM wa_audit.organization_findings
WHERE run = '20261126T060000Z'
GROUP BY finding_id
HAVING count(*) > 1
ORDER BY finding_id;
