// Saves the draft a moment after the last key, without moving the focus.
const form = document.getElementById("write");
const status = document.getElementById("saved");
// Milliseconds after the last key, and at most after the first that is not saved: a
// browser that is killed loses no more than five seconds.
const PAUSE = 1500;
const LONGEST = 3500;
// Milliseconds for an answer, so that a dead connection holds up no later save.
const TIMEOUT = 8000;
const RETRY = 3000;
// Octets of a keepalive request: browsers refuse more than 64 KiB (Fetch standard).
const KEEPALIVE_LIMIT = 50000;
// Saves of one page follow each other without the version, whose answer may be lost;
// `turn` orders them, however they arrive.
const WINDOW = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
const ORDER = ["version", "window", "turn"];
let turn = 0;
let answered = 0;
let left = "";
let timer = 0;
let saving = null;
let again = false;
let stopped = false;
let isSubmitted = false;
form.addEventListener("formdata", ({ formData }) => {
  formData.set("window", WINDOW);
  formData.set("turn", turn + 1);
});
let saved = formFields();
let changedAt = 0;

function formFields() {
  const data = new FormData(form);
  for (const name of ["attachments", "do", "confirmed", "signature", "template"]) data.delete(name);
  return data;
}

function plain(data) {
  return new URLSearchParams([...data].filter(([name]) => !ORDER.includes(name))).toString();
}

function isSaved() {
  return stopped || isSubmitted || plain(formFields()) === plain(saved);
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
  saving = post({ signal: AbortSignal.timeout(TIMEOUT) }).finally(() => {
    saving = null;
    if (again) { again = false; schedule(); }
  });
}

// The page may be gone before an answer, and with it a save in progress: once more, whole.
function leave() {
  if (isSaved()) return;
  const now = plain(formFields());
  if (now === left) return;
  left = now;
  post({ keepalive: isShort() });
}

async function post(options) {
  const posted = formFields();
  turn += 1;
  const mine = turn;
  try {
    const response = await fetch(`${form.dataset.draftUrl}save/`, { method: "POST", body: posted, ...options });
    await handleResponse(response, posted, mine);
  } catch {
    retry("Not saved: no connection. Trying again soon.");
  }
}

function retry(words) {
  left = "";
  say(words);
  if (stopped || isSubmitted) return;
  changedAt ||= Date.now();
  clearTimeout(timer);
  timer = setTimeout(save, RETRY);
}

async function handleResponse(response, posted, mine) {
  if (response.redirected) {
    say("You have been signed out. Press Save draft to sign in again: your text is kept.");
    stopped = true;
  } else if (response.ok) {
    const answer = await response.json();
    if (mine < answered) return;
    answered = mine;
    form.elements.version.value = answer.version;
    form.dispatchEvent(new CustomEvent("draft-saved", { detail: answer }));
    saved = posted;
    if (answer.forked) goOnWith(answer.forked);
    say(`Saved ${clock()}`);
  } else if (response.status === 409) {
    say((await response.json()).problem);
    stopped = true;
  } else if (response.status === 429 || response.status >= 500) {
    retry("Not saved. Trying again soon.");
  } else {
    left = "";
    say("Not saved. Press Save draft to see why.");
  }
}

// Another window has the draft: what is written here is one of its own from now on.
function goOnWith({ url, said, ...kept }) {
  if (form.dataset.draftUrl === url) return;
  form.dataset.draftUrl = url;
  form.action = url;
  history.replaceState(history.state, "", url);
  form.dispatchEvent(new CustomEvent("draft-forked", { detail: kept }));
  const note = document.createElement("p");
  note.className = "govuk-inset-text app-write__forked";
  note.setAttribute("role", "status");
  status.before(note);
  // After it is there: a region that comes with its words is not announced.
  setTimeout(() => { note.textContent = said; }, 100);
}

function schedule() {
  clearTimeout(timer);
  changedAt ||= Date.now();
  timer = setTimeout(save, Math.max(0, Math.min(PAUSE, changedAt + LONGEST - Date.now())));
}

form.addEventListener("input", schedule);
// Some fields fire only this one.
form.addEventListener("change", schedule);
document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });
addEventListener("pagehide", leave);
// Back to a page that the browser kept whole, after a submit that failed.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  isSubmitted = false;
  left = "";
  // The submit had the next number.
  turn += 1;
  schedule();
});
// Before the next page is requested, which may show what is saved here. A draft too long
// for keepalive needs a confirmation.
addEventListener("beforeunload", (event) => {
  if (!isSaved() && !isShort()) event.preventDefault();
  leave();
});
// A save in progress changes the draft's version, which the form must submit.
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  if (saving) {
    event.preventDefault();
    const { submitter } = event;
    saving.then(() => form.requestSubmit(submitter));
  } else {
    isSubmitted = true;
  }
});
