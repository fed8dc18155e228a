/* What is asked for, and the hash that says it. */

const CONTROLS = ["q", "pillar", "type", "pipeline", "region", "group", "sort", "order"];
const CHIPS = ["rule", "practice", "resource", "gap", "finding"];
const SINGLE = [...CONTROLS, ...CHIPS];
const MULTIPLE = ["status", "severity"];
const VIEW = { group: "pillar", sort: "worst", order: "risk" }; // what no filter is, and where each begins
const MOST_OPEN = 20; // that a hash holds

function atFirst() {
  const asked = Object.fromEntries(SINGLE.map((name) => [name, VIEW[name] || ""]));
  return { ...asked, status: new Set(data.shown_at_first), severity: new Set(), open: new Set() };
}

/** The state that a hash such as `#?status=fail&q=orders` says; null where it is an anchor or nothing. */
function parsed(hash) {
  if (!hash.startsWith("#?")) return null;
  const said = new URLSearchParams(hash.slice(2));
  const asked = atFirst();
  for (const name of SINGLE) if (said.get(name)) asked[name] = said.get(name);
  for (const name of MULTIPLE) {
    if (said.has(name)) asked[name] = new Set(said.get(name).split(",").filter((v) => v && v !== "all"));
  }
  asked.open = new Set(said.getAll("open").slice(0, MOST_OPEN));
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
  for (const name of SINGLE) if (asked[name] !== first[name]) said.set(name, asked[name]);
  for (const key of [...asked.open].slice(0, MOST_OPEN)) said.append("open", key);
  const text = said.toString();
  return text && "#?" + text;
}

/** Whether anything is filtered otherwise than at first. */
function isFiltered(asked) {
  return Boolean(hashOf({ ...asked, ...VIEW, open: new Set() }));
}
