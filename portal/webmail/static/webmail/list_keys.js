// Arrow keys in a list of messages. The whole list is one stop of the Tab key: from there
// the arrows lead to every message, and with Shift choose those that they pass.
export const rows = () => [...document.querySelectorAll("#messages > .app-mail-row")];
export const box = (row) => row.querySelector("input[name=message]");
const link = (row) => row.querySelector(".app-mail-row__link");
const stops = (row) => [link(row), box(row)].filter(Boolean);
let anchor = null;

export function current() {
  return document.activeElement?.closest?.("#messages > .app-mail-row") ?? null;
}

function goTo(row) {
  if (!row) return;
  makeStop(row);
  link(row).focus();
  row.scrollIntoView({ block: "nearest" });
}

export function step(by) {
  const every = rows();
  const at = every.indexOf(current());
  const next = at < 0 ? every.find((row) => stops(row)[0].tabIndex === 0) ?? every[0] : every[at + by];
  goTo(next);
  return next;
}

function makeStop(row) {
  for (const other of rows()) {
    const index = other === row ? 0 : -1;
    for (const one of stops(other)) if (one.tabIndex !== index) one.tabIndex = index;
  }
}

// The rows from the anchor to the present one are chosen; the one that was left is not,
// where the way goes back to the anchor.
function chooseBetween(left, next) {
  const every = rows();
  const [start, before, now] = [anchor, left, next].map((row) => every.indexOf(row));
  const isBack = Math.abs(now - start) < Math.abs(before - start);
  for (const row of [anchor, left, next]) if (box(row)) box(row).checked = true;
  if (isBack && left !== anchor && box(left)) box(left).checked = false;
}

// On the document: rows, and the list itself, may come while the page is open.
document.addEventListener("focusin", () => { if (current()) makeStop(current()); });
document.addEventListener("live:merged", () => {
  const every = rows();
  if (every.length) makeStop(current() ?? every.find((row) => link(row).tabIndex === 0) ?? every[0]);
});
document.addEventListener("keydown", (event) => {
  const here = current();
  if (!here || event.ctrlKey || event.altKey || event.metaKey) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    event.preventDefault();
    if (!event.shiftKey) anchor = null;
    else if (!anchor?.isConnected) anchor = here;
    const next = step(by);
    if (anchor && next) chooseBetween(here, next);
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    goTo(rows().at(event.key === "Home" ? 0 : -1));
  }
});
if (rows().length) makeStop(rows()[0]);
