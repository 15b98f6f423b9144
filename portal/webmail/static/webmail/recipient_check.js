// Says who the recipients are as they are typed.
const form = document.getElementById("write");
const shown = document.getElementById("recipients");
const FIELDS = ["to", "cc", "bcc", "sender"];
let timer = 0;
let asked = words();
let under = null;

function words() {
  return FIELDS.map((name) => form.elements[name]?.value ?? "").join("\n");
}

async function ask() {
  const now = words();
  if (now === asked) return;
  asked = now;
  under?.abort();
  under = new AbortController();
  const body = new FormData(form);
  for (const name of ["attachments", "text"]) body.delete(name);
  try {
    const response = await fetch(`${form.dataset.door}recipients/`, { method: "POST", body, signal: under.signal });
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
