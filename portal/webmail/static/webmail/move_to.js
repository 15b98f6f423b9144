// The folder to move to, found by typing a part of its name instead of reading through the
// list. Without this it is the list alone.
for (const move of document.querySelectorAll(".app-mail__move")) makeTypable(move);

function makeTypable(move) {
  const select = move.querySelector("select");
  const options = [...select.options];
  if (options.length < 2) return;
  const list = document.createElement("datalist");
  list.id = `${select.id}-names`;
  list.append(...options.map((one) => new Option(one.text, one.text)));
  const input = document.createElement("input");
  input.className = "govuk-input app-mail__move-to";
  input.id = select.id;
  input.setAttribute("list", list.id);
  input.autocomplete = "off";
  input.placeholder = "Move to folder";
  input.dataset.key = "m";
  select.removeAttribute("id");
  select.hidden = true;
  select.before(input, list);
  const plain = (text) => text.trim().toLocaleLowerCase();
  const found = () => {
    const typed = plain(input.value);
    const exact = options.find((one) => plain(one.text) === typed);
    const alike = typed ? options.filter((one) => plain(one.text).includes(typed)) : [];
    return exact || (alike.length === 1 ? alike[0] : null);
  };
  const button = move.querySelector("button");
  input.addEventListener("input", () => input.setCustomValidity(""));
  button.addEventListener("click", (event) => {
    const chosen = found();
    if (chosen) { select.value = chosen.value; return; }
    event.preventDefault();
    input.setCustomValidity(input.value ? "Type more of the folder’s name, or choose it from the list" : "Type the name of a folder");
    input.reportValidity();
  });
  // What was asked here is about this button alone.
  button.form?.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (pressed && pressed !== button) input.setCustomValidity("");
  }, true);
  // Enter in the field means this button, not the first of the form.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); button.click(); }
  });
}
