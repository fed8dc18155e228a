/* Text and elements.

   Text from the account is hostile. It reaches the page through `visible` and text nodes alone; nothing
   here parses markup, and the page's policy would refuse it. */

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

/** A button of few words that does something when it is pressed. */
function quietButton(words, label, press) {
  const button = el("button", { type: "button", class: "quiet", "aria-label": label }, words);
  button.addEventListener("click", () => press(button));
  return button;
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

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Below zero, zero or above, as text is sorted everywhere alike. */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same of two lists, by the first members that differ. */
function compareAll(a, b) {
  const n = a.findIndex((member, n) => member !== b[n]);
  return n < 0 ? 0 : compare(a[n], b[n]);
}
