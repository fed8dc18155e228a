/* Search and filters. */

// What a search looks through: each text once, however many findings share it.
const haystacks = {
  rule: () => data.rules.map((r) => [r.id, r.title, r.failure_title, ...practicesOf(r)]),
  resource: () => R.arn.map((arn, n) => [arn, data.types[R.type[n]], R.name[n]]),
  tags: () => data.tags.map((tags) => Object.entries(tags).map((tag) => tag.join("="))),
  message: () => data.messages.map((m) => [m]),
  evidence: () => data.evidence.map((e) => [JSON.stringify(e)]),
  gap: () => data.gaps.map((g) => [g[0], g[1]]),
};
const lowered = {};

function lower(table) {
  lowered[table] = lowered[table] || haystacks[table]().map((texts) => texts.join("\n").toLowerCase());
  return lowered[table];
}

/** For one word: whether it stands in any text that a finding refers to. */
function holds(word) {
  const [rule, resource, tags, message, evidence, gap] = Object.keys(haystacks).map((table) =>
    lower(table).map((text) => text.includes(word)),
  );
  return (f) =>
    rule[F.rule[f]] || resource[F.resource[f]] || tags[R.tags[F.resource[f]]] || message[F.message[f]] ||
    evidence[F.evidence[f]] || gap[F.gap[f]];
}

function words(asked) {
  return asked.q.toLowerCase().split(/\s+/).filter(Boolean);
}

/** The tests that a finding must pass to be shown. */
function tests(asked) {
  const found = words(asked).map(holds);
  const one = (value, test) => value && found.push(test);
  const chosen = (set, names, column) => {
    const wanted = names.map((name) => set.has(name));
    if (set.size) found.push((f) => wanted[column[f]]);
  };
  chosen(asked.status, data.statuses.map((s) => s.id), F.status);
  chosen(asked.severity, data.severities, F.severity);
  const rules = data.rules.map((rule) => isAskedRule(rule, asked));
  found.push((f) => rules[F.rule[f]]);
  const gaps = new Set(asked.gap.split(",").map(Number));
  const ofType = data.types.map((type) => type === asked.type || type.startsWith(asked.type + "::"));
  const inPipeline = data.pipelines.map((names) => (asked.pipeline === "-" ? !names.length : names.includes(asked.pipeline)));
  one(asked.type, (f) => ofType[R.type[F.resource[f]]]);
  one(asked.region, (f) => regionsOf[F.resource[f]] === asked.region);
  one(asked.pipeline, (f) => inPipeline[R.pipelines[F.resource[f]]]);
  one(asked.resource, (f) => R.arn[F.resource[f]] === asked.resource);
  one(asked.finding, (f) => idOf(f) === asked.finding);
  one(asked.gap, (f) => gaps.has(F.gap[f]));
  return found;
}

function isAskedRule(rule, asked) {
  return (
    (!asked.pillar || rule.pillar === asked.pillar) &&
    (!asked.rule || rule.id === asked.rule) &&
    (!asked.practice || practicesOf(rule).includes(asked.practice))
  );
}

/** The findings to show, in the audit's order. */
function matching(asked) {
  const all = tests(asked);
  const found = [];
  for (let f = 0; f < data.total; f++) if (all.every((test) => test(f))) found.push(f);
  return found;
}

/** Where findings are not here: the rules whose own facts match, each with no finding. */
function matchingRules(asked) {
  const sought = words(asked);
  const statuses = data.statuses.map((status, n) => n).filter((n) => asked.status.has(data.statuses[n].id));
  return data.rules
    .map((rule, number) => number)
    .filter((number) => {
      const rule = data.rules[number];
      return (
        isAskedRule(rule, asked) &&
        (!asked.severity.size || asked.severity.has(rule.severity)) &&
        (!statuses.length || statuses.some((n) => rule.counts[n])) &&
        sought.every((word) => lower("rule")[number].includes(word))
      );
    });
}

/** Findings by a number or text of theirs, in the order in which it comes. */
function groupedBy(findings, keysOf) {
  const groups = new Map();
  for (const finding of findings) {
    for (const key of keysOf(finding)) {
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(finding);
    }
  }
  return groups;
}
