// Saves the draft a moment after the last key, without moving the focus.
const form = document.getElementById("write");
const status = document.getElementById("saved");
// Milliseconds after the last key, and at most after the first that is not saved: a
// browser that is killed loses no more than five seconds.
const PAUSE = 1500;
const LONGEST = 3500;
// Octets of a keepalive request: browsers refuse more than 64 KiB (Fetch standard).
const KEEPALIVE_LIMIT = 50000;
let timer = 0;
let saving = null;
let again = false;
let stopped = false;
let saved = formFields();
let changedAt = 0;

function formFields() {
  const data = new FormData(form);
  for (const name of ["attachments", "do", "confirmed", "signature", "template"]) data.delete(name);
  return data;
}

function plain(data) {
  return new URLSearchParams([...data].filter(([name]) => name !== "version")).toString();
}

function isSaved() {
  return stopped || plain(formFields()) === plain(saved);
}

function isShort() {
  return plain(formFields()).length < KEEPALIVE_LIMIT;
}

function say(text) {
  if (status.textContent.trim() !== text) status.textContent = text;
}

function clock() {
  const now = new Date();
  const minutes = String(now.getMinutes()).padStart(2, "0");
  return `${now.getHours() % 12 || 12}:${minutes}${now.getHours() < 12 ? "am" : "pm"}`;
}

function save() {
  if (saving) { again = true; return; }
  changedAt = 0;
  if (isSaved()) return;
  saving = post(formFields()).finally(() => {
    saving = null;
    if (again) { again = false; schedule(); }
  });
}

async function post(posted) {
  try {
    // keepalive: the page may be left before the response arrives.
    const options = { method: "POST", body: posted, keepalive: isShort() };
    await handleResponse(await fetch(`${form.dataset.draftUrl}save/`, options), posted);
  } catch {
    say("Not saved: no connection. Trying again soon.");
    schedule();
  }
}

async function handleResponse(response, posted) {
  if (response.redirected) {
    say("You have been signed out. Press Save draft to sign in again: your text is kept.");
    stopped = true;
  } else if (response.ok) {
    const answer = await response.json();
    form.elements.version.value = answer.version;
    form.dispatchEvent(new CustomEvent("draft-saved", { detail: answer }));
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
  changedAt ||= Date.now();
  timer = setTimeout(save, Math.max(0, Math.min(PAUSE, changedAt + LONGEST - Date.now())));
}

form.addEventListener("input", schedule);
for (const name of ["visibilitychange", "pagehide"]) {
  addEventListener(name, () => { if (name === "pagehide" || document.hidden) save(); });
}
// A draft too long for keepalive needs a confirmation before the page is left.
addEventListener("beforeunload", (event) => {
  if (!isSaved() && !isShort()) event.preventDefault();
});
// A save in progress changes the draft's version, which the form must submit.
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  if (saving) {
    event.preventDefault();
    const { submitter } = event;
    saving.then(() => form.requestSubmit(submitter));
  } else {
    stopped = true;
  }
});
