/* The tables of an organization. The page brings the first rows of each; all of them are packed, and are drawn
   from there, sorted and filtered, as they are asked for. What a cell holds is said in rankings.py. */

const AT_FIRST = 25;
const MORE = 200;
const MOST_ON_PAPER = 1000;
const DASH = "\u2013";
const FEW = 8; // rows that nobody need sort or search

const number = (value) => value.toLocaleString("en");
const whole = (value) => (value === null ? DASH : String(Math.trunc(value)));

function usd(amount) {
  if (amount === null) return DASH;
  const cents = amount < 100 ? 2 : 0;
  return `${amount.toLocaleString("en", { minimumFractionDigits: cents, maximumFractionDigits: cents })} USD`;
}

function grade(score) {
  return score === null ? "none" : grades.find(([floor]) => score >= floor)[1];
}

/** A figure with its sign, as `+1.5`. */
const signed = (value) => (value > 0 ? "+" : "") + value.toFixed(1);

function scored(value, words, inside = words) {
  return el("td", { class: grade(value) }, inside);
}

function named(value) {
  const cell = el("th", { scope: "row" }, el("bdi", {}, value[0]));
  const parts = value.slice(1).filter(Boolean).flatMap((part) => [" ", el("bdi", {}, part)]);
  if (parts.length) cell.append(" ", el("span", { class: "small" }, ...parts.slice(1)));
  return cell;
}

function unit(value) {
  const link = el("a", { href: "#accounts" }, el("bdi", {}, value[0]));
  link.addEventListener("click", (event) => {
    if (!onUnit) return;
    event.preventDefault();
    onUnit(value[2]);
  });
  return el("th", { scope: "row" }, link);
}

const CELLS = {
  name: named,
  unit,
  score: (value) => scored(value, el("b", {}, whole(value))),
  part: (value) => scored(value, whole(value)),
  exact: (value) => scored(value, el("b", {}, value === null ? DASH : value.toFixed(1))),
  share: (value) => el("td", {}, value === null ? DASH : `${whole(value)} %`),
  change: (value) => el("td", {}, value === null ? "" : value ? signed(value) : "unchanged"),
  count: (value) => el("td", {}, value === null ? DASH : number(value)),
  usd: (value) => el("td", {}, usd(value)),
  of: ([some, all]) => el("td", {}, `${number(some)} of ${number(all)}`),
  severity: (value) => el("td", { class: "said" }, el("span", { class: `severity ${value}` }, capital(value))),
  code: (value) => el("td", { class: "said" }, value ? el("code", {}, el("bdi", {}, value)) : DASH),
  arn: (value) => el("td", { class: "said long" }, value ? el("code", {}, el("bdi", {}, value)) : DASH),
  words: (value) => el("td", { class: "said" }, el("bdi", {}, value)),
  prose: (value) => el("td", { class: "said long" }, el("bdi", {}, value)),
};

// -- order -----------------------------------------------------------------------------------------

const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const TEXTS = ["name", "unit", "words", "prose", "code", "arn"];
// What is asked for first: the lowest score, but the highest count.
const HIGHEST_FIRST = ["count", "usd"];

const lowered = (value) => value.toLowerCase() || null;

/** What a cell is sorted by; null goes last, whichever way. */
const SORTED_BY = {
  name: (value) => value[0].toLowerCase(),
  unit: (value) => value[2].toLowerCase(),
  words: lowered,
  prose: lowered,
  code: lowered,
  arn: lowered,
  severity: (value) => SEVERITIES.indexOf(value),
  of: ([some, all]) => (all ? some / all : null),
};

function sorted(rows, column, kind, down) {
  const key = SORTED_BY[kind] || ((value) => value);
  const keyed = rows.map((row) => [key(row[column]), row]);
  keyed.sort(([a], [b]) => (a === null ? (b === null ? 0 : 1) : b === null ? -1 : down ? compare(b, a) : compare(a, b)));
  return keyed.map(([, row]) => row);
}

// -- filters ---------------------------------------------------------------------------------------

const MATCHES = {
  equal: (value, wanted) => value === wanted,
  grade: (value, wanted) => grade(value) === wanted,
  below: (value, wanted) => value[2] === wanted || (wanted !== "" && value[2].startsWith(`${wanted}/`)),
};

function textOf(row, kinds) {
  return row.filter((_, n) => TEXTS.includes(kinds[n])).flat().join("\n").toLowerCase();
}

// -- a table ---------------------------------------------------------------------------------------

class Ranking {
  constructor(packed) {
    Object.assign(this, packed);
    const [first = []] = this.columns;
    this.rows = first.map((_, n) => this.columns.map((column) => column[n]));
    this.part = (name) => document.getElementById(`${this.id}-${name}`);
    this.words = "";
    this.chosen = this.choices.map(() => "");
    this.texts = null;
    this.order = null; // as the page has it: worst first
    this.limit = AT_FIRST;
    this.bound = this.rows.length > FEW;
    if (this.bound) this.bind();
    this.draw();
  }

  bind() {
    this.part("table").querySelectorAll("thead th").forEach((head, column) => {
      const button = el("button", { type: "button" });
      button.append(...head.childNodes);
      button.addEventListener("click", () => this.sort(column));
      head.append(button);
    });
    const tools = this.part("tools");
    const form = el("form", { class: "ranking-tools", role: "search", "aria-label": `Filter ${this.id.replace("-", " ")}`, autocomplete: "off" });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.filter());
    if (this.searched) form.append(this.field("q", "Search", el("input", { type: "search", spellcheck: "false" }), "field search"));
    this.choices.forEach((choice, n) => form.append(this.field(`choice-${n}`, choice.words, this.select(choice), "field")));
    if (!form.childNodes.length) return;
    tools.append(form);
    tools.hidden = false;
  }

  field(name, words, control, kind) {
    const id = `${this.id}-${name}`;
    control.setAttribute("id", id);
    return el("div", { class: kind }, el("label", { for: id }, words), control);
  }

  select(choice) {
    const options = choice.options.map(([, words], n) => el("option", { value: String(n) }, words));
    return el("select", {}, el("option", { value: "" }, "All"), ...options);
  }

  filter() {
    this.words = this.searched ? this.part("q").value.trim().toLowerCase() : "";
    this.chosen = this.choices.map((_, n) => this.part(`choice-${n}`).value);
    this.limit = AT_FIRST;
    this.draw();
  }

  /** Shows what one choice leaves, and nothing else left out. */
  only(n, value) {
    const number = this.choices[n].options.findIndex(([option]) => option === value);
    if (this.searched) this.part("q").value = "";
    this.choices.forEach((_, other) => (this.part(`choice-${other}`).value = other === n ? String(number) : ""));
    this.filter();
  }

  sort(column) {
    const down = HIGHEST_FIRST.includes(this.kinds[column]);
    const again = this.order && this.order.column === column;
    this.order = { column, down: again ? !this.order.down : down };
    this.part("table").querySelectorAll("thead th").forEach((head, n) => {
      if (n !== column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", this.order.down ? "descending" : "ascending");
    });
    this.draw();
  }

  found() {
    const wanted = this.words.split(/\s+/).filter(Boolean);
    const asked = this.choices.flatMap((choice, n) => {
      if (this.chosen[n] === "") return [];
      const [value] = choice.options[Number(this.chosen[n])];
      return [(row) => MATCHES[choice.how](row[choice.column], value)];
    });
    // Once for all searches: a key that is pressed must not wait for ten thousand rows to be put together.
    if (wanted.length && !this.texts) this.texts = this.rows.map((row) => textOf(row, this.kinds));
    const rows = this.rows.filter(
      (row, n) => asked.every((fits) => fits(row)) && wanted.every((word) => this.texts[n].includes(word)),
    );
    return this.order ? sorted(rows, this.order.column, this.kinds[this.order.column], this.order.down) : rows;
  }

  draw(paper = false) {
    const rows = this.found();
    const shown = rows.slice(0, paper ? Math.max(this.limit, MOST_ON_PAPER) : this.limit);
    this.part("table").tBodies[0].replaceChildren(
      ...shown.map((row) => el("tr", {}, ...row.map((value, n) => CELLS[this.kinds[n]](value)))),
    );
    this.say(rows.length, shown.length);
    const left = rows.length - shown.length;
    const more = this.part("more");
    more.hidden = left === 0;
    more.replaceChildren();
    if (!left) return;
    const button = el("button", { type: "button" }, `Show ${number(Math.min(left, MORE))} more`);
    button.addEventListener("click", () => this.further(shown.length));
    more.append(button);
  }

  /** Draws more rows, and lets a keyboard go on from the first of them. */
  further(from) {
    this.limit = from + MORE;
    this.draw();
    const row = this.part("table").tBodies[0].rows[from];
    row.setAttribute("tabindex", "-1");
    row.focus({ preventScroll: true });
  }

  say(found, shown) {
    const narrowed = found !== this.rows.length;
    const words = [];
    if (shown < found) words.push(`The first ${number(shown)} of ${plural(found, this.noun)}${narrowed ? " that match" : ""}.`);
    else if (narrowed) words.push(`${found ? plural(found, this.noun) : `No ${this.noun}`} of ${number(this.rows.length)} ${found === 1 || !found ? "matches" : "match"}.`);
    if (this.rows.length < this.total) words.push(`This page holds ${number(this.rows.length)} of ${plural(this.total, this.noun)}.`);
    this.part("shown").textContent = words.join(" ");
  }
}

/** Lets a unit's name lead to its accounts, where these can be filtered. */
function bindUnits(accounts) {
  const byUnit = accounts ? accounts.choices.findIndex((choice) => choice.how === "below") : -1;
  if (byUnit < 0 || !accounts.bound) return;
  onUnit = (path) => {
    accounts.only(byUnit, path);
    const heading = document.getElementById("accounts");
    heading.focus({ preventScroll: true });
    heading.scrollIntoView();
  };
}

// -- the beginning -------------------------------------------------------------------------------

bindScheme();
bindPrint();

let grades = [];
let onUnit = null;
let drawn = [];
let packed = null;
try {
  packed = unpacked();
} catch {
  const notice = "The figures in this file are damaged, perhaps by a copy that was cut off. organization.json holds them too.";
  document.querySelector("header").append(el("p", { class: "banner" }, notice));
}
if (packed) {
  grades = packed.grades;
  drawn = packed.tables.filter((table) => document.getElementById(`${table.id}-table`)).map((table) => new Ranking(table));
  bindUnits(drawn.find((table) => table.id === "accounts"));
  whenPrinted((paper) => drawn.forEach((table) => table.draw(paper)));
}
