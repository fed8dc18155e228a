/* A rule's row, its words, and the findings under it. */

const FIRST_ROWS = 20; // of a rule, when it is opened
const MORE_ROWS = 100;
const LONGEST_VALUE = 400; // characters of an evidence value before it is folded
const PRINTED_ROWS = 1000; // of the whole report

let printing = false;
let found = new Set(); // what a narrow search opened

const isOpen = (key) => printing || state.open.has(key) || found.has(key);

/** A head that opens and closes a body, which is made when it is opened. */
function accordion({ key, level, title, state: status, beside, make, classes }) {
  const id = `b-${(accordion.made = (accordion.made || 0) + 1)}`;
  const body = el("div", { class: "rule-body", id, hidden: true });
  const button = el("button", { type: "button", "aria-expanded": "false", "aria-controls": id, "data-key": key }, title);
  button.open = (wanted) => {
    button.setAttribute("aria-expanded", String(wanted));
    body.replaceChildren(...(wanted ? make() : []));
    body.hidden = !wanted;
  };
  const head = el(
    "div",
    { class: "rule-head" },
    el("span", { class: `state ${status}`, title: data.statuses[statusNumber(status)].words, "aria-hidden": "true" }, icon(status)),
    el("div", { class: "rule-title" }, el(`h${level}`, {}, button), beside.shift()),
    ...beside,
    icon("chevron"),
  );
  if (isOpen(key)) button.open(true);
  return el("div", { class: `rule ${classes || ""}` }, head, body);
}

/** What counts come to: the worst that was found. */
function stateOf(counts) {
  const worst = ["fail", "error", "not_evaluated", "pass", "suppressed"].find((id) => counts[statusNumber(id)]);
  return worst || "not_applicable";
}

/** Rules, numbered, in the order that is asked for. `countsBy` and `manyBy` are asked once for each. */
function sortedRules(numbers, countsBy, manyBy) {
  const failing = statusNumber("fail");
  const rows = [...numbers].map((n) => {
    const [rule, counts] = [data.rules[n], countsBy(n)];
    // Failing before unread before passing; then by severity, then by how many fail.
    const worst = [ROW_ORDER.indexOf(stateOf(counts)), data.severities.indexOf(rule.severity), -counts[failing], n];
    const first = { name: [ruleTitle(n, counts)], many: [-manyBy(n)] }[state.sort] || [];
    return { n, key: [...first, ...worst] };
  });
  rows.sort((a, b) => compareAll(a.key, b.key));
  return rows.map((row) => row.n);
}

function ruleTitle(number, counts) {
  const rule = data.rules[number];
  return (counts[statusNumber("fail")] && rule.failure_title) || rule.title;
}

/** A rule with those of its findings that are shown; `within` is the key of the group that it stands in. */
function ruleRow(number, findings, { level, within = "" }) {
  const rule = data.rules[number];
  const counts = within ? countsOf(findings) : rule.counts;
  return accordion({
    key: within ? `${within}/${rule.id}` : rule.id,
    level,
    title: ruleTitle(number, counts),
    state: stateOf(counts),
    beside: [
      countsLine(counts, within ? "" : coverageWords(rule)),
      el("span", { class: `severity ${rule.severity}` }, capital(rule.severity)),
      ruleScore(rule),
    ],
    make: () => [about(rule), ...(F ? resourceList(number, findings, level + 1) : [notHere(rule)])],
  });
}

function notHere(rule) {
  const total = rule.counts.reduce((sum, n) => sum + n, 0);
  return el("p", { class: "quiet-text" }, `${plural(total, "finding")}: too many stand in this audit for one page. audit.json, beside this file, holds each with its evidence; its member rule is `, el("code", {}, rule.id), ".");
}

function scoreWords(scored) {
  return scored.score === null ? "not scored" : `${scored.score} of 100`;
}

function coverageWords(scored) {
  return scored.coverage === null ? "" : `coverage ${scored.coverage} %`;
}

function ruleScore(rule) {
  const [name, said] = grade(rule.score);
  const whole = rule.score === null ? "not scored" : `score ${rule.score} of 100, ${said}`;
  return el(
    "span",
    { class: `rule-score grade ${name}` },
    icon(name),
    el("b", { "aria-hidden": "true" }, rule.score === null ? "–" : rule.score),
    el("span", { class: "unseen" }, whole),
  );
}

/** `3 failing, 12 passing`, each with its status's own name. */
function countsLine(counts, more = "") {
  const said = ROW_ORDER.map(statusNumber)
    .filter((n) => counts[n])
    .map((n) => el("span", { class: data.statuses[n].id }, `${counts[n].toLocaleString("en")} ${data.statuses[n].words.toLowerCase()}`));
  return el("p", { class: "counts" }, ...said, more && el("span", {}, more));
}

/** What the rulebook says of a rule; on paper what a reader does something about. */
function about(rule) {
  return el(
    "div",
    { class: "about-rule" },
    el(
      "dl",
      { class: "words" },
      ...entry("Why", rule.why && prose(rule.why)),
      ...entry("Fix", rule.fix && prose(rule.fix)),
      ...entry("How it is judged", !printing && rule.judgement && prose(rule.judgement)),
    ),
    el(
      "dl",
      { class: "refs" },
      ...entry("Rule", [el("code", {}, rule.id)]),
      ...entry("Best practices", practicesOf(rule).map(practiceLine)),
      ...entry("Parameters", printing ? [] : Object.entries(rule.params).map(([k, v]) => el("code", { class: "line" }, `${k}: ${plain(v)}`))),
      ...entry("Source", rule.source && !printing ? [el("span", { class: "arn" }, rule.source)] : []),
    ),
  );
}

function entry(term, children) {
  return children && children.length ? [el("div", {}, el("dt", {}, term), el("dd", {}, ...children))] : [];
}

function practiceLine(id) {
  const practice = data.practices[id];
  const name = practice ? `${id} ${practice.title}` : id;
  // An audit.json may come from anywhere: a link that is not a web address stays text.
  const known = practice && /^https:\/\//.test(practice.url);
  return known
    ? el("a", { class: "line", href: practice.url, target: "_blank", rel: "noopener noreferrer" }, name)
    : el("span", { class: "line" }, name);
}

// -- findings ------------------------------------------------------------------------------------

function resourceList(number, findings, level) {
  const total = data.rules[number].counts.reduce((sum, n) => sum + n, 0);
  const hidden = total - findings.length;
  const title = plural(findings.length, "finding") + (hidden ? ` of ${total.toLocaleString("en")} of this rule; filters and groups hide the others` : "");
  return [el(`h${level}`, { class: "how-many" }, title), ...findingList(findings, byStatusAndName, (f) => resourceRow(f))];
}

/** Rows of findings, some at once, and a button for more. */
function findingList(findings, order, row) {
  const rows = [...findings].sort(order);
  const items = el("ul", { class: "resources" });
  const atOnce = printing ? Math.max(3, Math.floor(PRINTED_ROWS / (groupsShown || 1))) : FIRST_ROWS;
  const more = growing(items, rows, row, atOnce, (n) =>
    printing ? `${plural(n, "further finding")} in audit.json` : `Show ${Math.min(n, MORE_ROWS)} more of ${plural(n, "finding")} left`,
  );
  return [items, more];
}

/** Fills `holder` with the first rows; the button that comes back puts more there until all are. */
function growing(holder, rows, make, atOnce, say) {
  const more = el("button", { type: "button", class: "quiet more" });
  let made = 0;
  const grow = (by) => {
    const first = holder.children.length;
    holder.append(...rows.slice(made, made + by).map(make));
    made = Math.min(rows.length, made + by);
    more.hidden = made === rows.length;
    more.textContent = say(rows.length - made);
    return holder.children[first];
  };
  grow(atOnce);
  more.addEventListener("click", () => {
    const next = grow(MORE_ROWS);
    (next.querySelector("button") || next).focus();
  });
  return more;
}

function byStatusAndName(a, b) {
  return (
    statusRank[F.status[a]] - statusRank[F.status[b]] ||
    F.severity[a] - F.severity[b] ||
    compare(R.name[F.resource[a]], R.name[F.resource[b]])
  );
}

function byStatusAndRule(a, b) {
  return statusRank[F.status[a]] - statusRank[F.status[b]] || F.severity[a] - F.severity[b] || F.rule[a] - F.rule[b];
}

/** A finding of a rule: which resource, what was found, and why. */
function resourceRow(finding) {
  const n = F.resource[finding];
  const severity = data.severities[F.severity[finding]];
  const differs = severity !== ruleOf(finding).severity;
  const elsewhere = R.account[n] !== data.account ? ` ${R.account[n]}` : "";
  const tags = Object.entries(data.tags[R.tags[n]]).map(([key, value]) => (value ? `${key}=${value}` : key));
  return row(
    finding,
    el("p", { class: "name" }, el("bdi", {}, R.name[n]), el("span", { class: "region" }, regionsOf[n] + elsewhere)),
    el("p", { class: "arn" }, el("bdi", {}, R.arn[n])),
    tags.length ? el("p", { class: "tags" }, folded(tags.join("  "))) : null,
    verdict(finding, differs),
  );
}

/** A finding of a resource: which rule, what was found, and why. */
function ruleFindingRow(finding) {
  const rule = ruleOf(finding);
  const failing = F.status[finding] === statusNumber("fail");
  const pillar = data.pillars.find((p) => p.id === rule.pillar);
  return row(
    finding,
    el("p", { class: "name" }, (failing && rule.failure_title) || rule.title),
    el("p", { class: "arn" }, `${pillar.title}, `, el("a", { href: `#?rule=${encodeURIComponent(rule.id)}&status=all` }, rule.id)),
    failing && rule.fix ? el("div", { class: "fix-line" }, ...prose(rule.fix)) : null,
    verdict(finding, true),
  );
}

function row(finding, name, where, more, told) {
  const status = data.statuses[F.status[finding]];
  return el(
    "li",
    { tabindex: "-1" },
    el("span", { class: `state ${status.id}` }, icon(status.id), el("span", {}, status.words)),
    el("div", { class: "resource" }, name, where, more),
    told,
  );
}

function verdict(finding, withSeverity) {
  const severity = data.severities[F.severity[finding]];
  const message = capital(data.messages[F.message[finding]]);
  return el(
    "div",
    { class: "verdict" },
    el("p", {}, withSeverity ? el("span", { class: `severity ${severity}` }, capital(severity)) : null, withSeverity ? " " : null, el("bdi", {}, message)),
    F.suppression[finding] < 0 ? null : accepted(data.suppressions[F.suppression[finding]]),
    F.known[finding] ? el("p", { class: "quiet-text" }, "Known: it stands in the baseline.") : null,
    data.against[finding] ? pullsAgainst(data.against[finding]) : null,
    F.waste[finding] < 0 ? null : waste(data.waste[F.waste[finding]].lines),
    F.evidence[finding] < 0 ? null : evidenceTable(data.evidence[F.evidence[finding]]),
    el("p", { class: "acts" }, copyLink(finding)),
  );
}

function accepted([reason, owner, expires]) {
  return el("p", { class: "quiet-text" }, "Suppressed by ", el("bdi", {}, owner), ` until ${expires}: `, el("bdi", {}, reason));
}

function pullsAgainst(others) {
  const links = others.flatMap((other) => {
    const asked = { rule: ruleOf(other).id, q: R.arn[F.resource[other]], status: data.statuses[F.status[other]].id };
    return [" ", el("a", { href: `#?${new URLSearchParams(asked)}` }, ruleOf(other).id)];
  });
  return el("p", { class: "quiet-text" }, "Another best practice pulls the other way, and how critical this is decides:", ...links);
}

/** What a failure wastes and what its cure saves, with what that rests on. */
function waste(lines) {
  return el("ul", { class: "waste" }, ...lines.map((line) => el("li", {}, folded(line))));
}

function evidenceTable(evidence) {
  const rows = Object.entries(evidence).map(([name, value]) =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, folded(plain(value)))),
  );
  return el("table", { class: "evidence" }, el("caption", { class: "unseen" }, "Evidence"), el("tbody", {}, ...rows));
}

/** A long value as its beginning, with a button for the rest. */
function folded(text) {
  if (text.length <= LONGEST_VALUE || printing) return el("bdi", {}, text);
  const value = el("bdi", {}, text.slice(0, LONGEST_VALUE) + "… ");
  const button = quietButton("Show all", null, () => {
    value.replaceWith(el("bdi", { tabindex: "-1" }, text));
    button.remove();
  });
  const whole = document.createDocumentFragment();
  whole.append(value, button);
  return whole;
}
