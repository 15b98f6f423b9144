// Saves the words a moment after the last key, without taking the focus.
const form = document.getElementById("write");
const status = document.getElementById("saved");
const PAUSE = 2500;
// Octets that a browser still sends once the page is gone: it takes 64 kB.
const LAST_WORDS = 50000;
let timer = 0;
let saving = null;
let again = false;
let stopped = false;
let saved = words();

function words() {
  const data = new FormData(form);
  for (const name of ["attachments", "do", "confirmed", "signature"]) data.delete(name);
  return data;
}

function plain(data) {
  return new URLSearchParams([...data].filter(([name]) => name !== "version")).toString();
}

function isSaved() {
  return stopped || plain(words()) === plain(saved);
}

function isShort() {
  return plain(words()).length < LAST_WORDS;
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
  if (isSaved()) return;
  saving = post(words()).finally(() => {
    saving = null;
    if (again) { again = false; schedule(); }
  });
}

async function post(posted) {
  try {
    // The answer may come after the person went elsewhere: that is not waited for.
    const options = { method: "POST", body: posted, keepalive: isShort() };
    await heard(await fetch(`${form.dataset.door}save/`, options), posted);
  } catch {
    say("Not saved: the connection is away. Saving again soon.");
    schedule();
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
for (const name of ["visibilitychange", "pagehide"]) {
  addEventListener(name, () => { if (name === "pagehide" || document.hidden) save(); });
}
// What is too long to be sent while the page goes is asked about instead.
addEventListener("beforeunload", (event) => {
  if (!isSaved() && !isShort()) event.preventDefault();
});
// Whatever is under way gives the draft a new version, and the form must name that one.
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
