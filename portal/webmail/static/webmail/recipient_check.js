// Refreshes the recipient check as recipients are typed.
const form = document.getElementById("write");
const shown = document.getElementById("recipients");
const FIELDS = ["to", "cc", "bcc", "sender"];
let timer = 0;
let asked = fieldValues();
let under = null;

function fieldValues() {
  return FIELDS.map((name) => form.elements[name]?.value ?? "").join("\n");
}

async function ask() {
  const now = fieldValues();
  if (now === asked) return;
  asked = now;
  under?.abort();
  under = new AbortController();
  const body = new FormData(form);
  for (const name of ["attachments", "text"]) body.delete(name);
  try {
    const response = await fetch(`${form.dataset.draftUrl}recipients/`, { method: "POST", body, signal: under.signal });
    if (response.ok && !response.redirected) shown.innerHTML = await response.text();
  } catch {
    asked = "";
  }
}

form.addEventListener("change", ask);
form.addEventListener("input", (event) => {
  if (!FIELDS.includes(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(ask, 600);
});
