/* The list: findings by pillar, theme and rule, or in groups of another kind. */

const GROUPS_AT_ONCE = 50;
const OPEN_UP_TO = 20; // a search that finds no more than this shows it at once

const list = document.getElementById("list");
let state = null;
let shown = []; // findings, or rules where findings are not here
let groupsShown = 0; // rules or groups, for what fits on paper

/* Of each grouping: to which groups a finding belongs, by a key that outlives the run; what a group is
   called; and, where the groups have an order of their own, the key's place in it. */
const GROUPINGS = {
  resource: {
    noun: "resource",
    keys: (f) => [R.arn[F.resource[f]]],
    title: (key, f) => R.name[F.resource[f]] || key,
    note: (key, f) => `${typeOf(f).split("::").slice(1).join(" ")}, ${regionsOf[F.resource[f]]}`,
  },
  pipeline: {
    noun: "pipeline",
    keys: (f) => (pipelinesOf(f).length ? pipelinesOf(f) : ["-"]),
    title: (key) => (key === "-" ? "In no pipeline" : key),
    place: (key) => (key === "-" ? 1 : 0),
  },
  service: { noun: "service", keys: (f) => [service(typeOf(f))], title: (key) => key },
  region: { noun: "region", keys: (f) => [regionsOf[F.resource[f]]], title: (key) => key },
  severity: {
    noun: "severity",
    keys: (f) => [data.severities[F.severity[f]]],
    title: capital,
    place: (key) => data.severities.indexOf(key),
  },
  status: {
    noun: "status",
    keys: (f) => [data.statuses[F.status[f]].id],
    title: (key) => data.statuses[statusNumber(key)].words,
    place: (key) => ROW_ORDER.indexOf(key),
  },
  practice: {
    noun: "best practice",
    keys: (f) => (practicesOf(ruleOf(f)).length ? practicesOf(ruleOf(f)) : ["-"]),
    title: (key) => (key === "-" ? "Of no best practice" : data.practices[key] ? `${key} ${data.practices[key].title}` : key),
    place: (key) => (key === "-" ? 1 : 0),
  },
};

function draw() {
  const grouping = F && GROUPINGS[state.group];
  list.replaceChildren(...(grouping ? groupList(grouping) : pillarList()));
  if (!shown.length) list.append(el("p", { class: "nothing card" }, "No finding matches. Fewer words or filters may show more."));
}

// -- by pillar, theme and rule -------------------------------------------------------------------

function pillarList() {
  const byRule = F ? groupedBy(shown, (f) => [F.rule[f]]) : new Map(shown.map((n) => [n, []]));
  groupsShown = byRule.size;
  return data.pillars.map((pillar) => pillarSection(pillar, byRule)).filter(Boolean);
}

function pillarSection(pillar, byRule) {
  const themes = pillar.themes.map((theme) => themeSection(pillar, theme, byRule)).filter(Boolean);
  if (!themes.length) return null;
  const [name] = grade(pillar.score);
  return el(
    "section",
    { class: "pillar", "aria-labelledby": `p-${pillar.id}` },
    el(
      "div",
      { class: "pillar-head" },
      el("h3", { id: `p-${pillar.id}` }, pillar.title),
      el("span", { class: `grade ${name}` }, icon(name), scoreWords(pillar)),
      el("span", { class: "quiet-text" }, coverageWords(pillar)),
    ),
    ...themes,
  );
}

function themeSection(pillar, theme, byRule) {
  const rules = [...byRule.keys()].filter((n) => data.rules[n].pillar === pillar.id && data.rules[n].theme === theme.id);
  if (!rules.length) return null;
  const id = `t-${pillar.id}-${theme.id}`;
  const sorted = sortedRules(rules, (n) => data.rules[n].counts, (n) => byRule.get(n).length);
  return el(
    "section",
    { class: "theme", "aria-labelledby": id },
    el(
      "div",
      { class: "theme-head" },
      el("h4", { id }, theme.title),
      el("span", { class: "quiet-text" }, [scoreWords(theme), coverageWords(theme)].filter(Boolean).join(", ")),
    ),
    el("div", { class: "card rules" }, ...sorted.map((n) => ruleRow(n, byRule.get(n), { level: 5 }))),
  );
}

// -- in other groups -----------------------------------------------------------------------------

function groupList(grouping) {
  const groups = [...groupedBy(shown, grouping.keys)].map(([key, findings]) => ({
    key,
    findings,
    title: grouping.title(key, findings[0]),
    note: grouping.note ? grouping.note(key, findings[0]) : "",
    place: grouping.place ? grouping.place(key) : 0,
    weight: gravity(findings),
  }));
  groupsShown = groups.length;
  groups.sort(groupOrder());
  const holder = el("div", { class: "card rules groups" });
  const atOnce = printing ? PRINTED_ROWS : GROUPS_AT_ONCE;
  const more = growing(holder, groups, (group) => groupRow(group, grouping), atOnce, (n) =>
    `Show ${Math.min(n, MORE_ROWS)} more of ${n.toLocaleString("en")} groups left`,
  );
  return [holder, more];
}

function groupOrder() {
  const byTitle = (a, b) => compare(a.title, b.title) || compare(a.key, b.key);
  if (state.sort === "name") return byTitle;
  if (state.sort === "many") return (a, b) => b.findings.length - a.findings.length || byTitle(a, b);
  return (a, b) => a.place - b.place || b.weight - a.weight || b.findings.length - a.findings.length || byTitle(a, b);
}

function groupRow({ key, title, note, findings }, grouping) {
  const counts = countsOf(findings);
  const worst = data.severities[Math.min(...worstOf(findings))];
  return accordion({
    key,
    level: 3,
    classes: "group",
    title,
    state: stateOf(counts),
    beside: [countsLine(counts, note), ...(worst ? [el("span", { class: `severity ${worst}` }, capital(worst))] : [el("span")]), el("span")],
    make: () => (grouping === GROUPINGS.resource ? resourceFindings(key, findings) : groupRules(key, findings)),
  });
}

/** The severities of what fails among some findings. */
function worstOf(findings) {
  const failing = statusNumber("fail");
  const found = new Set();
  for (const f of findings) if (F.status[f] === failing) found.add(F.severity[f]);
  return found;
}

function resourceFindings(arn, findings) {
  return [el("p", { class: "arn" }, el("bdi", {}, arn)), ...findingList(findings, byStatusAndRule, ruleFindingRow)];
}

function groupRules(key, findings) {
  const byRule = groupedBy(findings, (f) => [F.rule[f]]);
  const counted = new Map([...byRule].map(([n, own]) => [n, countsOf(own)]));
  const rules = sortedRules(byRule.keys(), (n) => counted.get(n), (n) => byRule.get(n).length);
  return [el("div", { class: "card rules" }, ...rules.map((n) => ruleRow(n, byRule.get(n), { level: 4, within: key })))];
}
