/* The data: unpacked once, then read by number. A finding is its row number in the columns `F`, a resource
   in `R`; both are null where there are more findings than a page can draw, and then only rules are. */

// What a reader looks for comes first.
const ROW_ORDER = ["fail", "error", "not_evaluated", "suppressed", "pass", "not_applicable"];

let data = null;
let F = null;
let R = null;
let statusRank = []; // of a status's number, its place in ROW_ORDER
let regionsOf = []; // of a resource's number, its region as it is shown

function hold(found) {
  data = found;
  F = data.findings;
  R = F && data.resources;
  statusRank = data.statuses.map((status) => ROW_ORDER.indexOf(status.id));
  regionsOf = F ? R.region.map((region) => region || "global") : [];
}

function statusNumber(id) {
  return data.statuses.findIndex((status) => status.id === id);
}

const typeOf = (finding) => data.types[R.type[F.resource[finding]]];
const pipelinesOf = (finding) => data.pipelines[R.pipelines[F.resource[finding]]];
/** What a finding is called in every run: see `Finding.id`. */
const idOf = (finding) => digest(`${ruleOf(finding).id}\n${R.arn[F.resource[finding]]}`);
const ruleOf = (finding) => data.rules[F.rule[finding]];
const practicesOf = (rule) => [...rule.best_practices, ...rule.analytics_lens];

/** `AWS::SQS::Queue` belongs to the service `SQS`. */
function service(type) {
  return type.split("::").slice(0, -1).pop() || "Account";
}

/** Findings counted by status, in the order of `data.statuses`. */
function countsOf(findings) {
  const counts = data.statuses.map(() => 0);
  for (const finding of findings) counts[F.status[finding]] += 1;
  return counts;
}

/** How grave failures are together, by the weights of the score. */
function gravity(findings) {
  const failing = statusNumber("fail");
  return findings.reduce((sum, f) => sum + (F.status[f] === failing ? data.weights[F.severity[f]] : 0), 0);
}

function grade(score) {
  return score === null ? ["none", "Not scored"] : data.grades.find(([floor]) => score >= floor).slice(1);
}
