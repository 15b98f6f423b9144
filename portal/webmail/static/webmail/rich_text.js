// Writes with formatting: the editor, its tools, pictures in the text, the folded quote.
// What comes out is sanitised again by the service.
/* global Squire, DOMPurify */
const form = document.getElementById("write");
const box = document.querySelector("[data-editor]");
const root = box.querySelector("#editor");
const tools = box.querySelector("[role=toolbar]");
const link = box.querySelector("[data-link]");
const quoteBox = box.querySelector("[data-quote]");
const unquote = box.querySelector("[data-quote-tools] button");
const status = box.querySelector("[role=status]");
const chooser = box.querySelector("[data-picture]");
const plain = document.getElementById("id_text");
// Of this draft, in whichever mailbox it is kept.
const isOwnPicture = (src) => {
  const [, token] = /^\/mail\/mailboxes\/\d+\/write\/([0-9a-f-]+)\/pictures\/\d+\/$/.exec(src ?? "") ?? [];
  return token !== undefined && token === form.dataset.draftUrl.split("/").at(-2);
};
const { html } = box.querySelector("template").dataset;

const CLEAN = {
  ALLOWED_TAGS: ["a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"],
  ALLOWED_ATTR: ["href", "src", "alt", "width", "height", "start", "colspan", "rowspan", "data-quoted", "data-signature"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/)/i,
  // Whose values are no addresses.
  ADD_URI_SAFE_ATTR: ["alt", "width", "height", "start", "colspan", "rowspan", "data-quoted", "data-signature"],
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};
let leftOut = 0;
// A picture from elsewhere would be asked for by the browser: only stored ones are shown.
DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "IMG" || isOwnPicture(node.getAttribute("src"))) return;
  leftOut += 1;
  node.remove();
});
const clean = (markup) => document.importNode(DOMPurify.sanitize(markup, CLEAN), true);

const say = (text) => { status.textContent = text; };

const start = clean(html);
const quote = start.querySelector("div[data-quoted]");
if (quote) {
  quote.remove();
  quoteBox.querySelector("[data-quoted-text]").append(quote);
  quoteBox.hidden = false;
  unquote.hidden = false;
}
const held = document.createElement("div");
held.append(start);

box.hidden = false;
plain.hidden = true;
const editor = new Squire(root, { blockTag: "DIV", sanitizeToDOMFragment: clean, didError: () => {} });
// It would set styles on pictures that are clicked, which our policy refuses.
editor._imageResizer.destroy();
// Tab leaves the text, also from a list: Ctrl+] and Ctrl+[ indent.
editor.setKeyHandler("Tab", null);
editor.setKeyHandler("Shift-Tab", null);
editor.setHTML(held.innerHTML);
leftOut = 0;

// Errors of the text are the editor's: its own field is not shown.
const problem = document.getElementById("id_text-error");
if (problem) {
  root.setAttribute("aria-invalid", "true");
  root.setAttribute("aria-describedby", problem.id);
}
for (const one of document.querySelectorAll(".govuk-error-summary a[href='#id_text']")) {
  one.setAttribute("href", "#editor");
  one.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); root.scrollIntoView({ block: "center" }); editor.focus(); });
}

// Saving and sending read the form: both get what the editor shows.
form.addEventListener("formdata", (event) => {
  event.formData.set("html", editor.getHTML() + (quote?.isConnected ? quote.outerHTML : ""));
  event.formData.set("text", root.innerText);
});
editor.addEventListener("input", () => form.dispatchEvent(new Event("input", { bubbles: true })));
editor.addEventListener("willPaste", () => {
  if (leftOut) say("Pictures from elsewhere were left out of what you pasted. Paste or drop each picture by itself.");
  leftOut = 0;
});

// Tools
const toggle = (tag, on, off) => ({ tag, run: () => (editor.hasFormat(tag) ? off() : on()) });
const TOOLS = {
  bold: toggle("B", () => editor.bold(), () => editor.removeBold()),
  italic: toggle("I", () => editor.italic(), () => editor.removeItalic()),
  bullets: toggle("UL", () => editor.makeUnorderedList(), () => editor.removeList()),
  numbers: toggle("OL", () => editor.makeOrderedList(), () => editor.removeList()),
  quote: toggle("BLOCKQUOTE", () => editor.increaseQuoteLevel(), () => editor.decreaseQuoteLevel()),
  link: toggle("A", askForLink, () => editor.removeLink()),
  picture: { run: () => chooser.click() },
  clear: { run: () => editor.removeAllFormatting() },
};
const buttons = [...tools.querySelectorAll("[data-tool]")];

function showState() {
  for (const button of buttons) {
    const { tag } = TOOLS[button.dataset.tool];
    if (tag) button.setAttribute("aria-pressed", String(editor.hasFormat(tag)));
  }
}
editor.addEventListener("pathChange", showState);
editor.addEventListener("select", showState);

tools.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tool]");
  if (!button) return;
  const { run } = TOOLS[button.dataset.tool];
  run();
  showState();
  if (link.hidden && button.dataset.tool !== "picture") editor.focus();
});
// One stop for Tab; the arrow keys move between the tools (ARIA toolbar pattern).
buttons.forEach((button, at) => { button.tabIndex = at ? -1 : 0; });
tools.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = buttons.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  const next = buttons[(at + step + buttons.length) % buttons.length];
  buttons.forEach((button) => { button.tabIndex = button === next ? 0 : -1; });
  next.focus();
});

// Links
const address = link.querySelector("input");
function askForLink() {
  link.hidden = false;
  address.value = "";
  address.focus();
}
function setLink() {
  const typed = address.value.trim();
  const url = /^(?:https?:\/\/|mailto:)/i.test(typed) ? typed : `https://${typed}`;
  link.hidden = true;
  editor.focus();
  if (typed) editor.makeLink(url);
}
link.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-do]")?.dataset.do;
  if (chosen === "set") setLink();
  else if (chosen) { link.hidden = true; editor.focus(); }
});
address.addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); setLink(); }
  if (event.key === "Escape") { link.hidden = true; editor.focus(); }
});

// Pictures
async function addPicture(file) {
  say(`${file.name}: uploading and being scanned for viruses…`);
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.set("attachments", file);
  let answer = { problem: `${file.name} was not added. Try again in a moment.` };
  const url = form.dataset.draftUrl;
  try {
    const response = await fetch(`${url}pictures/`, { method: "POST", body });
    if (!response.redirected && (response.ok || response.status === 422)) answer = await response.json();
  } catch {
    // offline: the problem above says what to do
  }
  // Meanwhile the draft became one of its own, which does not have the picture.
  if (form.dataset.draftUrl !== url) { await addPicture(file); return; }
  if (!answer.src) { say(answer.problem); return; }
  const isNamed = file.name && !/^image\.\w+$/.test(file.name);
  editor.insertImage(answer.src, { alt: isNamed ? file.name : "Picture" });
  say("Picture added. No virus found.");
}
async function addPictures(files) {
  for (const file of files) await addPicture(file);
}
const isPicture = (file) => file.type.startsWith("image/");
editor.addEventListener("pasteImage", (event) => {
  addPictures([...event.detail.clipboardData.files].filter(isPicture));
});
chooser.addEventListener("change", () => { addPictures([...chooser.files]); chooser.value = ""; editor.focus(); });
root.addEventListener("drop", (event) => {
  const files = [...event.dataTransfer.files];
  if (!files.length || !files.every(isPicture)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const range = document.caretRangeFromPoint?.(event.clientX, event.clientY);
  if (range && root.contains(range.startContainer)) editor.setSelection(range);
  addPictures(files);
}, true);

// The copies of the pictures, when the draft is one of its own now.
form.addEventListener("draft-forked", ({ detail: { pictures } }) => {
  for (const shown of box.querySelectorAll("img")) {
    const own = pictures[shown.getAttribute("src")];
    if (own) shown.setAttribute("src", own);
  }
});

// The quoted message
function takeQuote(chosen) {
  quote.remove();
  quoteBox.hidden = true;
  unquote.hidden = true;
  if (chosen === "edit") {
    quote.removeAttribute("data-quoted");
    editor.setHTML(editor.getHTML() + quote.outerHTML);
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
  say(chosen === "edit" ? "The quoted message is in the text now." : "The quoted message was removed.");
  editor.focus();
  editor.moveCursorToStart();
}
unquote.addEventListener("click", () => takeQuote("remove"));
quoteBox.querySelector("button").addEventListener("click", () => takeQuote("edit"));

if (form.hasAttribute("data-writes-first")) {
  editor.focus();
  editor.moveCursorToStart();
}
