// Saves the words a moment after the last key, without taking the focus.
const form = document.getElementById("write");
const status = document.getElementById("saved");
const PAUSE = 2500;
let timer = 0;
let saving = false;
let again = false;
let stopped = false;
let saved = words();

function words() {
  const data = new FormData(form);
  for (const name of ["attachments", "do", "confirmed", "signature"]) data.delete(name);
  return data;
}

function same(one, other) {
  const text = (data) => new URLSearchParams([...data].filter(([name]) => name !== "version")).toString();
  return text(one) === text(other);
}

function say(text) {
  if (status.textContent.trim() !== text) status.textContent = text;
}

function clock() {
  const now = new Date();
  const minutes = String(now.getMinutes()).padStart(2, "0");
  return `${now.getHours() % 12 || 12}:${minutes}${now.getHours() < 12 ? "am" : "pm"}`;
}

async function save() {
  if (saving) { again = true; return; }
  const posted = words();
  if (stopped || same(posted, saved)) return;
  saving = true;
  try {
    const response = await fetch(`${form.dataset.door}save/`, { method: "POST", body: posted });
    await heard(response, posted);
  } catch {
    say("Not saved: the connection is away. Saving again soon.");
    schedule();
  } finally {
    saving = false;
    if (again) { again = false; schedule(); }
  }
}

async function heard(response, posted) {
  if (response.redirected) {
    say("You have been signed out. Press Save draft to sign in again: your words are kept.");
    stopped = true;
  } else if (response.ok) {
    form.elements.version.value = (await response.json()).version;
    saved = posted;
    say(`Saved ${clock()}`);
  } else if (response.status === 409) {
    say((await response.json()).problem.replace("is kept", "will be kept") + " Press Save draft to do so.");
    stopped = true;
  } else {
    say("Not saved. Press Save draft to see why.");
  }
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

form.addEventListener("input", schedule);
document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
// Whatever is under way must not arrive after what the person does themselves.
form.addEventListener("submit", () => { stopped = true; clearTimeout(timer); });
