// Suggests recipients while they are typed: an editable combobox with a list of options.
const form = document.getElementById("write");
const SEPARATOR = /[,;]/;

for (const name of ["to", "cc", "bcc"]) suggestFor(form.elements[name]);

// A field that moves loses the focus, and whatever somebody is typing meanwhile.
function moveInto(box, input) {
  const isTypedIn = document.activeElement === input;
  const { selectionStart, selectionEnd } = input;
  box.append(input);
  if (!isTypedIn) return;
  input.focus({ preventScroll: true });
  input.setSelectionRange(selectionStart, selectionEnd);
}

function suggestFor(input) {
  const box = document.createElement("div");
  box.className = "app-combobox";
  input.before(box);
  const list = document.createElement("ul");
  list.id = `${input.id}-suggestions`;
  list.className = "app-combobox__list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  const status = document.createElement("div");
  status.className = "govuk-visually-hidden";
  status.setAttribute("role", "status");
  moveInto(box, input);
  box.append(list, status);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  let found = [];
  let at = -1;
  let timer = 0;
  let asked = 0;

  // What is being typed: from the last separator outside quotes to the caret.
  function typing() {
    const before = input.value.slice(0, input.selectionStart);
    let start = 0;
    let quoted = false;
    for (let i = 0; i < before.length; i += 1) {
      if (before[i] === '"') quoted = !quoted;
      else if (!quoted && SEPARATOR.test(before[i])) start = i + 1;
    }
    return { start, text: before.slice(start).trim() };
  }

  function close() {
    list.hidden = true;
    at = -1;
    found = [];
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    const { text } = typing();
    if (text.length < 2 || text.includes("<")) { close(); return; }
    asked += 1;
    const mine = asked;
    try {
      const response = await fetch(`${form.dataset.suggest}?q=${encodeURIComponent(text)}`);
      if (!response.ok || response.redirected || mine !== asked) return;
      show((await response.json()).found);
    } catch {
      close();
    }
  }

  function show(answer) {
    if (document.activeElement !== input) return;
    found = answer;
    at = -1;
    list.replaceChildren(...found.map(option));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(Boolean(found.length)));
    input.removeAttribute("aria-activedescendant");
    status.textContent = found.length
      ? `${found.length} suggestion${found.length === 1 ? "" : "s"}, use the up and down arrows`
      : "No suggestions";
  }

  function option(one, index) {
    const item = document.createElement("li");
    item.id = `${list.id}-${index}`;
    item.className = "app-combobox__option";
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    const name = document.createElement("span");
    name.className = "app-combobox__name";
    name.textContent = one.name;
    item.append(name, `${one.detail} (${one.source})`);
    // On pointerdown: a click would come after the field lost the focus and closed the list.
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(index); });
    return item;
  }

  function point(index) {
    at = (index + found.length) % found.length;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    list.children[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[at].id);
  }

  function choose(index) {
    const { start } = typing();
    const after = input.value.slice(input.selectionStart).replace(/^[^,;]*[,;]?\s*/, "");
    const before = input.value.slice(0, start).trimEnd();
    const head = `${before}${before ? " " : ""}${found[index].typed}, `;
    input.value = head + after;
    input.setSelectionRange(head.length, head.length);
    status.textContent = `${found[index].name} added`;
    close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(timer);
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 200); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") { event.preventDefault(); point(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); point(at < 0 ? -1 : at - 1); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); choose(at); }
    else if (event.key === "Escape") { event.preventDefault(); close(); }
  });
}
