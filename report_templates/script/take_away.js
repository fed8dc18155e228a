/* What leaves the page: a link to a finding, and what is shown as a file. */

/** Puts text on the clipboard; false where the browser keeps the clipboard to itself. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function copyLink(finding) {
  const hash = `#?finding=${idOf(finding)}&status=all`;
  const label = `Copy a link to this finding on ${visible(R.name[F.resource[finding]])}`;
  return quietButton("Copy link", label, async (button) => {
    const done = await copied(location.href.replace(/#.*/s, "") + hash);
    // Else the address itself becomes the link.
    if (!done) history.replaceState(null, "", hash);
    say(done ? "Link copied" : "The address bar holds the link now");
    button.textContent = done ? "Copied" : "In the address bar";
  });
}

/** Tells a screen reader, and whoever looks at the line above the list. */
function say(text) {
  document.getElementById("said").textContent = text;
}

// -- files ---------------------------------------------------------------------------------------

const NO_WASTE = { waste_usd_a_month: "", waste_confidence: "", waste_assumptions: "", carbon_saving_percent: "" };

/** A finding as a row of the flat table: what findings.csv and findings.jsonl hold, by column. */
function flatRow(f) {
  const [n, rule] = [F.resource[f], ruleOf(f)];
  const entry = F.suppression[f] < 0 ? null : data.suppressions[F.suppression[f]];
  return {
    finding_id: idOf(f),
    account: R.account[n],
    region: R.region[n],
    pillar: rule.pillar,
    theme: rule.theme,
    rule: rule.id,
    rule_title: rule.title,
    severity: data.severities[F.severity[f]],
    status: data.statuses[F.status[f]].id,
    resource_type: data.types[R.type[n]],
    resource_name: R.name[n],
    resource_arn: R.arn[n],
    message: data.messages[F.message[f]],
    evidence: JSON.stringify(F.evidence[f] < 0 ? {} : data.evidence[F.evidence[f]]),
    missing_action: F.gap[f] < 0 ? "" : data.gaps[F.gap[f]][1],
    best_practices: rule.best_practices.join(" "),
    fix: rule.fix,
    audited_at: data.audited,
    pipelines: data.pipelines[R.pipelines[n]].join("; "),
    suppressed_by: entry ? entry[1] : "",
    suppressed_until: entry ? entry[2] : "",
    in_baseline: data.baseline ? String(Boolean(F.known[f])) : "",
    ...(F.waste[f] < 0 ? NO_WASTE : data.waste[F.waste[f]].columns),
  };
}

/** Written out as findings.csv has it, which keeps spaces of every kind as they are. */
function shownInFile(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (c) => {
    const code = c.codePointAt(0);
    return code < 0x100 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
  });
}

/** A cell that no spreadsheet takes for a formula: led by an apostrophe where it begins like one. */
function cell(text) {
  const seen = (/^[=+\-@\t\r]/.test(text) ? "'" : "") + shownInFile(text);
  return /[",\r\n]/.test(seen) ? `"${seen.replaceAll('"', '""')}"` : seen;
}

function asCsv(rows) {
  const lines = rows.map((row) => data.columns.map((column) => cell(row[column])).join(","));
  return [data.columns.join(","), ...lines, ""].join("\n");
}

function asJson(rows) {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}

function download(name, type, text) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${name}: ${plural(shown.length, "finding")}`);
}

function bindDownloads() {
  const files = { csv: ["findings.csv", "text/csv", asCsv], json: ["findings.json", "application/json", asJson] };
  for (const [id, [name, type, write]] of Object.entries(files)) {
    const button = document.getElementById(`download-${id}`);
    button.hidden = !F;
    button.addEventListener("click", () => download(name, type, write(shown.map(flatRow))));
  }
}
