// Single keys that act, for those who have turned them on. A key presses what is marked with
// it (data-key), so that it does the same as the button or link.
import { box, current, rows, step } from "./list_keys.js";

const dialog = document.getElementById("shortcuts");
const isList = () => Boolean(document.getElementById("messages"));

function isTyping(element) {
  return element instanceof HTMLElement
    && (element.isContentEditable || element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])"));
}

// The buttons of a list act on what is chosen; with nothing chosen, on the message at hand.
function chooseAtHand() {
  if (!isList() || rows().some((row) => box(row)?.checked)) return;
  const row = current();
  if (row && box(row)) box(row).checked = true;
}

function press(element) {
  element.closest("details:not([open])")?.setAttribute("open", "");
  if (element.matches("input")) { element.focus(); element.select(); return; }
  if (element.matches("button[name=do]")) chooseAtHand();
  element.click();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  // A key that misses the text must not leave the page where it is written.
  if (document.getElementById("write") && event.key !== "?") return;
  if (isList() && (event.key === "j" || event.key === "k")) {
    event.preventDefault();
    step(event.key === "j" ? 1 : -1);
  } else if (isList() && event.key === "x") {
    const chosen = current() && box(current());
    if (chosen) chosen.checked = !chosen.checked;
  } else if (event.key === "?") {
    event.preventDefault();
    dialog.showModal();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (event.key === "g") {
    event.preventDefault();
    const drawer = document.querySelector("[data-drawer]");
    if (matchMedia("(max-width: 55.99em)").matches) drawer.open = true;
    document.querySelector(".app-mail__folders a")?.focus();
  } else if (/^[a-zA-Z#!]$/.test(event.key)) {
    const marked = document.querySelector(`[data-key="${event.key}"]`);
    if (!marked) return;
    event.preventDefault();
    press(marked);
  }
});
