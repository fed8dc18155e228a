/* The page: controls, links, keys, paper, copying; and the beginning. */

const form = document.getElementById("filters");
const explorer = document.getElementById("explorer");
const counter = document.getElementById("shown");
const chips = document.getElementById("chips");
const reset = document.getElementById("reset");

/** Puts `asked` on the screen: the controls, the list, and the line that counts. */
function show(asked) {
  const ordered = state && state.order === asked.order;
  state = asked;
  shown = F ? matching(state) : matchingRules(state);
  const narrow = state.rule || state.finding || ((state.q || state.gap || state.resource) && shown.length <= OPEN_UP_TO);
  found = new Set(narrow && F ? shown.flatMap(keysToOpen) : []);
  fillControls();
  counter.textContent = countWords();
  reset.hidden = !isFiltered(state);
  draw();
  if (!ordered) drawSteps();
}

/** What must stand open for a finding to be seen. */
function keysToOpen(finding) {
  const rule = ruleOf(finding).id;
  const grouping = GROUPINGS[state.group];
  return grouping ? grouping.keys(finding).flatMap((key) => [key, `${key}/${rule}`]) : [rule];
}

function countWords() {
  if (!F) return `${plural(shown.length, "rule")} shown, of ${data.rules.length}; ${plural(data.total, "finding")} in all`;
  const rules = new Set(shown.map((f) => F.rule[f])).size;
  return shown.length === data.total
    ? `All ${plural(data.total, "finding")} shown, of ${plural(rules, "rule")}`
    : `${shown.length.toLocaleString("en")} of ${plural(data.total, "finding")} shown, of ${plural(rules, "rule")}`;
}

const controls = () => [...explorer.querySelectorAll("[name]"), ...document.querySelectorAll("#order")];

function fillControls() {
  for (const control of controls()) {
    if (control.type === "checkbox") control.checked = state[control.name].has(control.value);
    else if (control.value !== state[control.name]) control.value = state[control.name];
  }
  const words = {
    rule: () => `Only the rule ${state.rule}`,
    practice: () => `Only the best practice ${state.practice}`,
    resource: () => `Only ${state.resource}`,
    gap: () => `Only what could not be read with ${gapNames(state.gap)}`,
    finding: () => "Only one finding",
  };
  chips.replaceChildren(...CHIPS.filter((name) => state[name]).map((name) => chip(name, words[name]())));
}

function gapNames(numbers) {
  const gaps = numbers.split(",").map((number) => data.gaps[number]).filter(Boolean);
  return [...new Set(gaps.map((gap) => gap[0] || "other accounts"))].join(", ");
}

function chip(name, words) {
  const button = el("button", { type: "button", class: "chip", "aria-label": `${visible(words)}: remove this filter` }, words, el("span", { "aria-hidden": "true" }, " ×"));
  button.addEventListener("click", () => {
    change({ ...state, [name]: "" });
    document.getElementById("q").focus();
  });
  return button;
}

function asked() {
  const next = { ...state };
  for (const name of MULTIPLE) next[name] = new Set();
  for (const control of controls()) {
    if (control.type !== "checkbox") next[control.name] = control.value;
    else if (control.checked) next[control.name].add(control.value);
  }
  return next;
}

/** The hash in place of the old one: neither typing nor opening must fill the browser's history. */
function keep() {
  history.replaceState(null, "", hashOf(state) || location.pathname + location.search);
}

function change(next) {
  show(next);
  keep();
}

function follow(link) {
  history.pushState(null, "", link.hash);
  show(parsed(link.hash));
  arrive();
}

/** Where a link into the findings leads: the rule or the finding that it names, or the list. */
function arrive() {
  const row = state.finding && list.querySelector(".resources li");
  const target = row || (state.rule && list.querySelector(".rule button")) || document.getElementById("findings");
  target.focus({ preventScroll: true });
  explorer.scrollIntoView();
}

function toggle(button) {
  const key = button.dataset.key;
  const wanted = button.getAttribute("aria-expanded") !== "true";
  found.delete(key);
  if (wanted) state.open.add(key);
  else state.open.delete(key);
  button.open(wanted);
  keep();
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
  const button = event.target.closest(".rule button[data-key]");
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
    const search = document.getElementById("q");
    search.focus();
    search.select();
  }
}

function bindFindings() {
  form.hidden = false;
  document.getElementById("shown-bar").hidden = false;
  // Without findings there is nothing of which these could speak.
  for (const name of ["type", "pipeline", "region", "group"]) {
    const control = explorer.querySelector(`[name=${name}]`);
    if (control && !F) control.closest(".field").hidden = true;
  }
  let waiting = 0;
  const onInput = (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change(asked()), event.target.name === "q" ? 120 : 0);
  };
  explorer.addEventListener("input", onInput);
  const order = document.getElementById("order");
  if (order) {
    order.closest(".field").hidden = false;
    order.addEventListener("input", onInput);
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  reset.addEventListener("click", () => {
    const { group, sort, order } = state;
    change({ ...atFirst(), group, sort, order });
    document.getElementById("q").focus();
  });
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  window.addEventListener("popstate", () => {
    if (!location.hash || location.hash.startsWith("#?")) show(parsed(location.hash) || atFirst());
  });
  bindDownloads();
  bindPaper();
  const said = parsed(location.hash);
  show(said || atFirst());
  if (said && said.finding) arrive();
  else if (said) explorer.scrollIntoView();
}

// -- paper, copying ------------------------------------------------------------------------------

/** On paper every rule that is shown stands open, up to a thousand rows, and so does every drawing. */
function bindPaper() {
  const folded = [];
  whenPrinted((paper) => {
    printing = paper;
    draw();
    drawSteps();
    if (paper) folded.push(...document.querySelectorAll("details:not([open])"));
    for (const details of folded) details.open = paper;
    if (!paper) folded.length = 0;
  });
}

function bindCopy() {
  const button = document.getElementById("copy");
  if (!button) return;
  const policy = document.getElementById("grant");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copied(policy.textContent.trim());
    // Else the text is selected for Ctrl+C.
    if (!done) getSelection().selectAllChildren(policy);
    document.getElementById("copied").textContent = done ? "Copied" : "Selected: press Ctrl+C";
  });
}

// -- the beginning -------------------------------------------------------------------------------

bindScheme();
bindPrint();
bindCopy();
if (form) {
  try {
    hold(unpacked());
  } catch {
    list.append(el("p", { class: "banner" }, "The findings in this file are damaged, perhaps by a copy that was cut off. audit.json holds them too."));
  }
  if (data) bindFindings();
}
