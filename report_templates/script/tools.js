/* The buttons of the masthead, colours and paper; and what is to be done when the page goes to paper. */

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

/** Calls `redraw` with true before the page goes to paper, and with false when it is back on the screen. */
function whenPrinted(redraw) {
  let printed = false;
  const tell = (paper) => {
    if (printed === paper) return;
    printed = paper;
    redraw(paper);
  };
  const paper = window.matchMedia("print");
  paper.addEventListener("change", () => tell(paper.matches));
  window.addEventListener("beforeprint", () => tell(true));
  window.addEventListener("afterprint", () => tell(false));
  if (paper.matches) tell(true);
}
