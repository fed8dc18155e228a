/* Draws the findings: filters them, keeps the filters in the URL's hash, and opens a rule when asked.

   Text from the account is hostile. It reaches the page through `visible` and text nodes alone; nothing
   here parses markup, and the page's policy would refuse it. */
(() => {
  "use strict";

  const data = JSON.parse(document.getElementById("audit-data").textContent);
  // A finding is an array of numbers; these are its places.
  const [RULE, RESOURCE, STATUS, SEVERITY, MESSAGE, EVIDENCE, GAP, SUPPRESSION, WASTE] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [ARN, TYPE, NAME, ACCOUNT, REGION, TAGS, PIPELINES] = [0, 1, 2, 3, 4, 5, 6];

  // By finding: the numbers of those on the same resource whose best practices pull the other way.
  const against = new Map(Object.entries(data.against).map(([number, others]) => [data.findings[number], others]));

  const FIRST_ROWS = 20; // of a rule, when it is opened
  const MORE_ROWS = 100;
  const OPEN_UP_TO = 20; // a search that finds no more than this shows it at once
  const LONGEST_VALUE = 400; // characters of an evidence value before it is folded
  const PRINTED_ROWS = 1000; // of the whole report
  const ROW_ORDER = ["fail", "error", "not_evaluated", "suppressed", "pass", "not_applicable"].map(statusNumber);

  function statusNumber(id) {
    return data.statuses.findIndex((status) => status.id === id);
  }

  // -- text and elements ---------------------------------------------------------------------------

  /** Writes out what a reader would not see: controls, bidi overrides, separators other than the space. */
  function visible(text) {
    return String(text).replace(/[\p{C}\p{Z}]/gu, (c) => (c === " " ? c : writtenOut(c.codePointAt(0))));
  }

  function writtenOut(code) {
    return code <= 0xffff ? "\\u" + code.toString(16).padStart(4, "0") : `\\u{${code.toString(16)}}`;
  }

  /** An element with attributes; children are elements, or text that is made visible. */
  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((c) => c != null).map((c) => (c instanceof Node ? c : visible(c))));
    return element;
  }

  function icon(name) {
    const SVG = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(SVG, "svg");
    const use = document.createElementNS(SVG, "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("focusable", "false");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
  }

  /** Words of the rulebook: paragraphs, with what stands between backticks as code. */
  function prose(text) {
    return text.split(/\n\s*\n/).map((paragraph) => el("p", {}, ...coded(paragraph.replace(/\s*\n\s*/g, " "))));
  }

  function coded(text) {
    const parts = text.split("`");
    return parts.length % 2 ? parts.map((part, i) => (i % 2 ? el("code", {}, part) : part)) : [text];
  }

  function plural(count, one, many = one + "s") {
    return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
  }

  function capital(word) {
    return word.charAt(0).toUpperCase() + word.slice(1);
  }

  // -- what is asked for, and the hash that says it ------------------------------------------------

  const CONTROLS = ["q", "pillar", "type", "pipeline", "region"];
  const SINGLE = [...CONTROLS, "rule", "gap"];
  const MULTIPLE = ["status", "severity"];

  function atFirst() {
    return {
      q: "", pillar: "", type: "", pipeline: "", region: "", rule: "", gap: "",
      status: new Set(data.shown_at_first), severity: new Set(),
    };
  }

  /** The state that a hash such as `#?status=fail&q=orders` says; null where it is an anchor or nothing. */
  function parsed(hash) {
    if (!hash.startsWith("#?")) return null;
    const said = new URLSearchParams(hash.slice(2));
    const asked = atFirst();
    for (const name of SINGLE) asked[name] = said.get(name) || "";
    for (const name of MULTIPLE) {
      if (said.has(name)) asked[name] = new Set(said.get(name).split(",").filter((v) => v && v !== "all"));
    }
    return asked;
  }

  /** Only what differs from the first view; `all` where nothing is chosen and so everything is shown. */
  function hashOf(asked) {
    const said = new URLSearchParams();
    const first = atFirst();
    for (const name of MULTIPLE) {
      const chosen = [...asked[name]].sort().join(",");
      if (chosen !== [...first[name]].sort().join(",")) said.set(name, chosen || "all");
    }
    for (const name of SINGLE) if (asked[name]) said.set(name, asked[name]);
    const text = said.toString();
    return text && "#?" + text;
  }

  // -- search and filters --------------------------------------------------------------------------

  // What a search looks through: each text once, however many findings share it.
  const haystacks = {
    rules: () => data.rules.map((r) => [r.id, r.title, r.failure_title, ...r.best_practices, ...r.analytics_lens]),
    resources: () => data.resources.map((r) => [r[ARN], r[TYPE], r[NAME], ...Object.entries(r[TAGS]).map((t) => t.join("="))]),
    messages: () => data.messages.map((m) => [m]),
    evidence: () => data.evidence.map((e) => [JSON.stringify(e)]),
    gaps: () => data.gaps.map((g) => [g[0], g[1]]),
  };
  const lowered = {};

  function lower(table) {
    lowered[table] = lowered[table] || haystacks[table]().map((texts) => texts.join("\n").toLowerCase());
    return lowered[table];
  }

  /** For one word: whether it stands in any text that a finding refers to. */
  function holds(word) {
    const [rules, resources, messages, evidence, gaps] = Object.keys(haystacks).map((table) =>
      lower(table).map((text) => text.includes(word)),
    );
    return (f) =>
      rules[f[RULE]] || resources[f[RESOURCE]] || messages[f[MESSAGE]] || evidence[f[EVIDENCE]] || gaps[f[GAP]];
  }

  /** The tests that a finding must pass to be shown. */
  function tests(asked) {
    const found = asked.q.toLowerCase().split(/\s+/).filter(Boolean).map(holds);
    const one = (value, test) => value && found.push(test);
    const chosen = (set, names, place) => {
      const wanted = names.map((name) => set.has(name));
      if (set.size) found.push((f) => wanted[f[place]]);
    };
    chosen(asked.status, data.statuses.map((s) => s.id), STATUS);
    chosen(asked.severity, data.severities, SEVERITY);
    const region = asked.region === "global" ? "" : asked.region;
    const gaps = new Set(asked.gap.split(",").map(Number));
    const ofType = data.resources.map((r) => r[TYPE] === asked.type || r[TYPE].startsWith(asked.type + "::"));
    one(asked.pillar, (f) => data.rules[f[RULE]].pillar === asked.pillar);
    one(asked.type, (f) => ofType[f[RESOURCE]]);
    one(asked.region, (f) => data.resources[f[RESOURCE]][REGION] === region);
    one(asked.rule, (f) => data.rules[f[RULE]].id === asked.rule);
    one(asked.pipeline, (f) => {
      const names = data.resources[f[RESOURCE]][PIPELINES];
      return asked.pipeline === "-" ? !names.length : names.includes(asked.pipeline);
    });
    one(asked.gap, (f) => gaps.has(f[GAP]));
    return found;
  }

  /** The findings to show, by the number of their rule. */
  function matching(asked) {
    const all = tests(asked);
    const byRule = new Map();
    for (const finding of data.findings) {
      if (!all.every((test) => test(finding))) continue;
      if (!byRule.has(finding[RULE])) byRule.set(finding[RULE], []);
      byRule.get(finding[RULE]).push(finding);
    }
    return byRule;
  }

  // -- drawing: pillar, theme, rule ----------------------------------------------------------------

  const list = document.getElementById("list");
  let state = atFirst();
  let shown = new Map();
  let printing = false;
  const opened = new Set(); // rules that the reader opened
  let found = new Set(); // rules that a narrow search opened

  function draw() {
    list.replaceChildren(...data.pillars.map(pillarSection).filter(Boolean));
    if (!shown.size) list.append(nothing());
  }

  function nothing() {
    return el("p", { class: "nothing card" }, "No finding matches. Fewer words or filters may show more.");
  }

  function pillarSection(pillar) {
    const themes = pillar.themes.map((theme) => themeSection(pillar, theme)).filter(Boolean);
    if (!themes.length) return null;
    return el(
      "section",
      { class: "pillar", "aria-labelledby": `p-${pillar.id}` },
      el(
        "div",
        { class: "pillar-head" },
        el("h3", { id: `p-${pillar.id}` }, pillar.title),
        el("span", { class: `grade ${pillar.grade}` }, icon(pillar.grade), scoreWords(pillar)),
        el("span", { class: "quiet-text" }, coverageWords(pillar)),
      ),
      ...themes,
    );
  }

  function scoreWords(scored) {
    return scored.score === null ? "not scored" : `${scored.score} of 100`;
  }

  function coverageWords(scored) {
    return scored.coverage === null ? "" : `coverage ${scored.coverage} %`;
  }

  function themeSection(pillar, theme) {
    const rules = [...shown.keys()].filter((number) => {
      const rule = data.rules[number];
      return rule.pillar === pillar.id && rule.theme === theme.id;
    });
    if (!rules.length) return null;
    const id = `t-${pillar.id}-${theme.id}`;
    return el(
      "section",
      { class: "theme", "aria-labelledby": id },
      el(
        "div",
        { class: "theme-head" },
        el("h4", { id }, theme.title),
        el("span", { class: "quiet-text" }, [scoreWords(theme), coverageWords(theme)].filter(Boolean).join(", ")),
      ),
      el("div", { class: "card rules" }, ...rules.sort(worstFirst).map(ruleRow)),
    );
  }

  /** Failing before unread before passing; then by severity, then by how many fail. */
  function worstFirst(a, b) {
    const key = (number) => {
      const rule = data.rules[number];
      return [ROW_ORDER.indexOf(statusNumber(stateOf(rule))), data.severities.indexOf(rule.severity), -rule.counts.fail];
    };
    const [x, y] = [key(a), key(b)];
    return x[0] - y[0] || x[1] - y[1] || x[2] - y[2] || a - b;
  }

  /** What a rule comes to over all its resources: the worst that it found. */
  function stateOf(rule) {
    return ["fail", "error", "not_evaluated", "pass", "suppressed"].find((status) => rule.counts[status]) || "not_applicable";
  }

  function isOpen(number) {
    return printing || opened.has(number) || found.has(number);
  }

  function ruleRow(number) {
    const rule = data.rules[number];
    const status = stateOf(rule);
    const body = el("div", { class: "rule-body", id: `r-${number}`, hidden: true });
    const button = el(
      "button",
      { type: "button", "aria-expanded": "false", "aria-controls": body.id, "data-rule": number },
      (status === "fail" && rule.failure_title) || rule.title,
    );
    const row = el(
      "div",
      { class: "rule" },
      el(
        "div",
        { class: "rule-head" },
        el("span", { class: `state ${status}`, title: data.statuses[statusNumber(status)].words, "aria-hidden": "true" }, icon(status)),
        el("div", { class: "rule-title" }, el("h5", {}, button), counts(rule)),
        el("span", { class: `severity ${rule.severity}` }, capital(rule.severity)),
        ruleScore(rule),
        icon("chevron"),
      ),
      body,
    );
    if (isOpen(number)) open(number, button, body);
    return row;
  }

  function ruleScore(rule) {
    const words = rule.score === null ? "not scored" : `score ${rule.score} of 100, ${rule.words}`;
    return el(
      "span",
      { class: `rule-score grade ${rule.grade}` },
      icon(rule.grade),
      el("b", { "aria-hidden": "true" }, rule.score === null ? "–" : rule.score),
      el("span", { class: "unseen" }, words),
    );
  }

  /** `3 failing, 12 passing`, each with its status's own name. */
  function counts(rule) {
    const words = ROW_ORDER.map((n) => data.statuses[n])
      .filter((status) => rule.counts[status.id])
      .map((status) => el("span", { class: status.id }, `${rule.counts[status.id].toLocaleString("en")} ${status.words.toLowerCase()}`));
    return el("p", { class: "counts" }, ...words, el("span", {}, coverageWords(rule)));
  }

  // -- drawing: a rule's body ----------------------------------------------------------------------

  function open(number, button, body) {
    button.setAttribute("aria-expanded", "true");
    body.replaceChildren(about(data.rules[number]), ...resourceList(number));
    body.hidden = false;
  }

  function close(button, body) {
    button.setAttribute("aria-expanded", "false");
    body.hidden = true;
    body.replaceChildren();
  }

  function about(rule) {
    return el(
      "div",
      { class: "about-rule" },
      el(
        "dl",
        { class: "words" },
        ...entry("Why", rule.why && prose(rule.why)),
        ...entry("Fix", rule.fix && prose(rule.fix)),
        ...entry("How it is judged", rule.judgement && prose(rule.judgement)),
      ),
      el(
        "dl",
        { class: "refs" },
        ...entry("Rule", [el("code", {}, rule.id)]),
        ...entry("Best practices", practices([...rule.best_practices, ...rule.analytics_lens])),
        ...entry("Parameters", Object.entries(rule.params).map(([k, v]) => el("code", { class: "line" }, `${k}: ${plain(v)}`))),
        ...entry("Source", rule.source ? [el("span", { class: "arn" }, rule.source)] : []),
      ),
    );
  }

  function entry(term, children) {
    return children.length ? [el("div", {}, el("dt", {}, term), el("dd", {}, ...children))] : [];
  }

  function practices(ids) {
    return ids.map((id) => {
      const practice = data.practices[id];
      if (!practice) return el("span", { class: "line" }, id);
      const words = `${id} ${practice.title}`;
      // An audit.json may come from anywhere: a link that is not a web address stays text.
      if (!/^https:\/\//.test(practice.url)) return el("span", { class: "line" }, words);
      return el("a", { class: "line", href: practice.url, target: "_blank", rel: "noopener noreferrer" }, words);
    });
  }

  function resourceList(number) {
    const rows = [...shown.get(number)].sort(byStatusAndName);
    const items = el("ul", { class: "resources" });
    const total = Object.values(data.rules[number].counts).reduce((sum, n) => sum + n, 0);
    const hidden = total - rows.length;
    const title = plural(rows.length, "finding") + (hidden ? ` of ${total.toLocaleString("en")}; the filters hide the others` : "");
    const more = el("button", { type: "button", class: "quiet more" });
    const grow = (by) => {
      const from = items.children.length;
      items.append(...rows.slice(from, from + by).map(resourceRow));
      const left = rows.length - items.children.length;
      more.hidden = left === 0;
      more.textContent = printing
        ? `${plural(left, "further finding")} in audit.json`
        : `Show ${Math.min(left, MORE_ROWS)} more of ${plural(left, "finding")} left`;
      return items.children[from];
    };
    grow(printing ? Math.max(3, Math.floor(PRINTED_ROWS / shown.size)) : FIRST_ROWS);
    more.addEventListener("click", () => grow(MORE_ROWS).focus());
    return [el("h6", {}, title), items, more];
  }

  function byStatusAndName(a, b) {
    const [x, y] = [data.resources[a[RESOURCE]][NAME], data.resources[b[RESOURCE]][NAME]];
    return ROW_ORDER.indexOf(a[STATUS]) - ROW_ORDER.indexOf(b[STATUS]) || a[SEVERITY] - b[SEVERITY] || (x < y ? -1 : x > y ? 1 : 0);
  }

  function resourceRow(finding) {
    const resource = data.resources[finding[RESOURCE]];
    const status = data.statuses[finding[STATUS]];
    const severity = data.severities[finding[SEVERITY]];
    const differs = severity !== data.rules[finding[RULE]].severity;
    const elsewhere = resource[ACCOUNT] !== data.account ? ` ${resource[ACCOUNT]}` : "";
    const tags = Object.entries(resource[TAGS]).map(([key, value]) => (value ? `${key}=${value}` : key));
    return el(
      "li",
      { tabindex: "-1" },
      el("span", { class: `state ${status.id}` }, icon(status.id), el("span", {}, status.words)),
      el(
        "div",
        { class: "resource" },
        el("p", { class: "name" }, el("bdi", {}, resource[NAME]), el("span", { class: "region" }, (resource[REGION] || "global") + elsewhere)),
        el("p", { class: "arn" }, el("bdi", {}, resource[ARN])),
        tags.length ? el("p", { class: "tags" }, folded(tags.join("  "))) : null,
      ),
      el(
        "div",
        { class: "verdict" },
        el("p", {}, differs ? el("span", { class: `severity ${severity}` }, capital(severity)) : null, differs ? " " : null, el("bdi", {}, capital(data.messages[finding[MESSAGE]]))),
        finding[SUPPRESSION] < 0 ? null : accepted(data.suppressions[finding[SUPPRESSION]]),
        against.has(finding) ? pullsAgainst(against.get(finding), resource) : null,
        finding[WASTE] < 0 ? null : waste(data.waste[finding[WASTE]]),
        finding[EVIDENCE] < 0 ? null : evidenceTable(data.evidence[finding[EVIDENCE]]),
      ),
    );
  }

  function accepted([reason, owner, expires]) {
    return el("p", { class: "quiet-text" }, "Suppressed by ", el("bdi", {}, owner), ` until ${expires}: `, el("bdi", {}, reason));
  }

  function pullsAgainst(others, resource) {
    const links = others.flatMap((number) => {
      const rule = data.rules[data.findings[number][RULE]];
      const href = `#?${new URLSearchParams({ rule: rule.id, q: resource[ARN], status: data.statuses[data.findings[number][STATUS]].id })}`;
      return [" ", el("a", { href }, rule.id)];
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

  function plain(value) {
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  /** A long value as its beginning, with a button for the rest. */
  function folded(text) {
    if (text.length <= LONGEST_VALUE || printing) return el("bdi", {}, text);
    const value = el("bdi", {}, text.slice(0, LONGEST_VALUE) + "… ");
    const button = el("button", { type: "button", class: "quiet" }, "Show all");
    button.addEventListener("click", () => {
      value.replaceWith(el("bdi", { tabindex: "-1" }, text));
      button.remove();
    });
    const whole = document.createDocumentFragment();
    whole.append(value, button);
    return whole;
  }

  // -- controls ------------------------------------------------------------------------------------

  const form = document.getElementById("filters");
  const counter = document.getElementById("shown");
  const chips = document.getElementById("chips");
  const reset = document.getElementById("reset");

  /** Puts `asked` on the screen: the controls, the list, and the line that counts. */
  function show(asked) {
    state = asked;
    shown = matching(state);
    const total = [...shown.values()].reduce((sum, findings) => sum + findings.length, 0);
    const narrow = state.rule || ((state.q || state.gap) && total <= OPEN_UP_TO);
    found = new Set(narrow ? shown.keys() : []);
    fillControls();
    counter.textContent = total === data.findings.length
      ? `All ${plural(total, "finding")} shown, of ${plural(shown.size, "rule")}`
      : `${total.toLocaleString("en")} of ${plural(data.findings.length, "finding")} shown, of ${plural(shown.size, "rule")}`;
    reset.hidden = !hashOf(state);
    draw();
  }

  function fillControls() {
    for (const name of CONTROLS) {
      const control = form.elements[name];
      if (control && control.value !== state[name]) control.value = state[name];
    }
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = state[box.name].has(box.value);
    const rule = data.rules.find((r) => r.id === state.rule);
    chips.replaceChildren(
      ...(state.rule ? [chip("rule", `Only the rule ${rule ? rule.id : state.rule}`)] : []),
      ...(state.gap ? [chip("gap", `Only what could not be read with ${gapNames(state.gap)}`)] : []),
    );
  }

  function gapNames(numbers) {
    const gaps = numbers.split(",").map((number) => data.gaps[number]).filter(Boolean);
    return [...new Set(gaps.map((gap) => gap[0] || "other accounts"))].join(", ");
  }

  function chip(name, words) {
    const button = el("button", { type: "button", class: "chip", "aria-label": `${words}: remove this filter` }, words, el("span", { "aria-hidden": "true" }, " ×"));
    button.addEventListener("click", () => {
      change({ ...state, [name]: "" });
      form.elements.q.focus();
    });
    return button;
  }

  function asked() {
    const next = { ...state };
    for (const name of CONTROLS) if (form.elements[name]) next[name] = form.elements[name].value;
    for (const name of MULTIPLE) {
      next[name] = new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
    }
    return next;
  }

  /** A new state, and its hash in place of the old one: typing must not fill the browser's history. */
  function change(next) {
    show(next);
    history.replaceState(null, "", hashOf(state) || location.pathname + location.search);
  }

  function follow(link) {
    history.pushState(null, "", link.hash);
    show(parsed(link.hash));
    arrive();
  }

  /** Where a link into the findings leads: the rule that it names, or the list. */
  function arrive() {
    const target = (state.rule && list.querySelector("h5 button")) || document.getElementById("findings");
    target.focus({ preventScroll: true });
    document.getElementById("explorer").scrollIntoView();
  }

  function toggle(button) {
    const number = Number(button.dataset.rule);
    const body = document.getElementById(button.getAttribute("aria-controls"));
    if (isOpen(number)) {
      opened.delete(number);
      found.delete(number);
      close(button, body);
    } else {
      opened.add(number);
      open(number, button, body);
    }
  }

  /** An anchor within the page moves the focus and leaves the hash, and so the filters, alone. */
  function jump(link) {
    const target = document.getElementById(link.hash.slice(1));
    if (!target) return;
    if (target.tagName === "DETAILS") target.open = true;
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  }

  function onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a[href^='#']");
    const button = event.target.closest(".rule button[data-rule]");
    if (button) toggle(button);
    if (!link) return;
    event.preventDefault();
    if (link.hash.startsWith("#?")) follow(link);
    else jump(link);
  }

  function onKey(event) {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      form.elements.q.focus();
      form.elements.q.select();
    }
  }

  function bindFindings() {
    if (!form) return;
    form.hidden = false;
    document.getElementById("shown-bar").hidden = false;
    let waiting = 0;
    form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => change(asked()), event.target.name === "q" ? 120 : 0);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    reset.addEventListener("click", () => {
      opened.clear();
      change(atFirst());
      form.elements.q.focus();
    });
    document.addEventListener("click", onClick);
    document.addEventListener("keydown", onKey);
    window.addEventListener("popstate", () => {
      if (!location.hash || location.hash.startsWith("#?")) show(parsed(location.hash) || atFirst());
    });
    bindPaper();
    const said = parsed(location.hash);
    show(said || atFirst());
    if (said) document.getElementById("explorer").scrollIntoView();
  }

  // -- paper, colours, copying ---------------------------------------------------------------------

  /** On paper every rule that is shown stands open, up to a thousand rows. */
  function bindPaper() {
    const redraw = (paper) => {
      if (printing === paper) return;
      printing = paper;
      draw();
    };
    const paper = window.matchMedia("print");
    paper.addEventListener("change", () => redraw(paper.matches));
    window.addEventListener("beforeprint", () => redraw(true));
    window.addEventListener("afterprint", () => redraw(false));
    if (paper.matches) redraw(true);
  }

  function bindScheme() {
    const button = document.getElementById("scheme");
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const root = document.documentElement;
    const isDark = () => (root.dataset.scheme ? root.dataset.scheme === "dark" : system.matches);
    const say = () => {
      button.lastElementChild.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
    };
    button.addEventListener("click", () => {
      root.dataset.scheme = isDark() ? "light" : "dark";
      say();
    });
    system.addEventListener("change", say);
    button.hidden = false;
    say();
  }

  function bindPrint() {
    const button = document.getElementById("print");
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  function bindCopy() {
    const button = document.getElementById("copy");
    if (!button) return;
    const policy = document.getElementById("grant");
    const say = (words) => {
      document.getElementById("copied").textContent = words;
    };
    // Where the browser keeps the clipboard to itself, the text is selected for Ctrl+C.
    const select = () => {
      getSelection().selectAllChildren(policy);
      say("Selected: press Ctrl+C");
    };
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(policy.textContent.trim());
        say("Copied");
      } catch {
        select();
      }
    });
  }

  bindScheme();
  bindPrint();
  bindCopy();
  bindFindings();
})();
