/* What to fix first, in the order that is asked for. */

const STEPS_AT_ONCE = 5;
const PRINTED_STEPS = 10;

const steps = document.getElementById("steps");

// Of a step: the rule's number, the points gained, the resources to change.
const ORDERS = {
  risk: () => 0, // as the audit has them: the gravest first
  gain: (a, b) => b[1] - a[1],
  effort: (a, b) => a[2] - b[2] || b[1] - a[1],
};

function drawSteps() {
  if (!steps) return;
  const rows = [...data.steps].sort(ORDERS[state.order] || ORDERS.risk);
  steps.replaceChildren();
  const more = growing(steps, rows, stepRow, printing ? PRINTED_STEPS : STEPS_AT_ONCE, (n) => printing ? `${plural(n, "further step")} in audit.json` : (n > MORE_ROWS ? `Show ${MORE_ROWS} more of ${n.toLocaleString("en")} left` : `Show the other ${n}`));
  document.getElementById("more-steps").replaceChildren(more);
}

function stepRow([number, gain, failures]) {
  const rule = data.rules[number];
  const pillar = data.pillars.find((p) => p.id === rule.pillar);
  const link = `#?rule=${encodeURIComponent(rule.id)}&status=fail`;
  return el(
    "li",
    { tabindex: "-1" },
    el("p", { class: "gain" }, el("b", {}, gain >= 0.05 ? `+${gain.toFixed(1)}` : "<0.1"), " points"),
    el(
      "div",
      {},
      el("h3", {}, rule.failure_title || rule.title),
      el(
        "p",
        { class: "meta" },
        el("span", { class: `severity ${rule.severity}` }, capital(rule.severity)),
        el("span", {}, pillar.title),
        el("a", { href: link }, plural(failures, "failing resource")),
      ),
      el("div", { class: "fix" }, ...prose(rule.fix)),
    ),
  );
}
