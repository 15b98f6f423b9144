// Uploads each file as it is chosen or dropped, with progress, and a way to stop it.
const form = document.getElementById("write");
const list = document.getElementById("file-list");
const uploads = document.getElementById("uploads");
const input = document.getElementById("id_attachments");
const area = document.querySelector(".app-write__files");
const limit = Number(area.dataset.limit);
const state = document.getElementById("files-state");
const HELD = "Files are still being added. Wait until they are there, or cancel them.";
const isRich = Boolean(document.querySelector("[data-editor]"));
// Where files go: into the message, or beside it, to be sent as links.
const attached = { url: () => `${form.dataset.draftUrl}files/`, list };
const links = document.getElementById("links");
const linked = links && { url: () => `${form.dataset.draftUrl}links/add/`, list: document.getElementById("link-list") };
let line = Promise.resolve();
let waiting = 0;
let uploading = 0;
// The file on its way, which a fork of the draft may overtake.
let current = null;

document.querySelector(".app-write__attach").hidden = true;
for (const only of document.querySelectorAll(".app-js-only")) only.hidden = false;

function add(files) {
  for (const file of files) {
    if (!fits(file)) continue;
    uploading += file.size;
    queue(file, attached, () => { uploading -= file.size; });
  }
}

function queue(file, target, done) {
  const row = rowFor(file);
  waiting += 1;
  // One after another: each answer holds the whole list.
  line = line.then(() => (row.isStopped ? undefined : send(file, row, target))).finally(() => { waiting -= 1; done(); });
}

// Before a byte leaves: the service would refuse it at the end.
function fits(file) {
  const sizes = [...list.querySelectorAll("[data-size]")].map((one) => Number(one.dataset.size));
  const total = sizes.reduce((sum, size) => sum + size, uploading) + file.size;
  if (total <= limit) return true;
  const words = complain(`${file.name} was not added: the attachments would be ${megabytes(total)} together, and one message carries at most ${megabytes(limit)}. ${linked ? "" : "Send several messages."}`);
  if (linked) offerLink(file, words);
  return false;
}

// A file that is too large for the message can still be downloaded by its recipients.
function offerLink(file, words) {
  if (file.size > Number(links.dataset.limit)) {
    words.append(`Divide it: a file that is sent as a link has at most ${megabytes(Number(links.dataset.limit))}.`);
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "app-link-button";
  button.textContent = `Send ${file.name} as a link`;
  button.addEventListener("click", () => {
    words.remove();
    queue(file, linked, () => {});
    input.focus();
  });
  words.append(button);
}

const megabytes = (octets) => `${(octets / 1024 / 1024).toFixed(1)} MB`;

function rowFor(file) {
  const row = document.createElement("li");
  row.className = "app-files__upload";
  const label = document.createElement("span");
  label.textContent = file.name;
  const bar = document.createElement("progress");
  bar.max = 100;
  bar.value = 0;
  bar.setAttribute("aria-label", `Uploading ${file.name}`);
  const stop = document.createElement("button");
  stop.type = "button";
  stop.className = "app-link-button";
  stop.textContent = "Cancel";
  stop.setAttribute("aria-label", `Cancel ${file.name}`);
  const words = document.createElement("span");
  words.className = "app-files__state";
  words.textContent = "waiting to be uploaded";
  row.append(label, " ", bar, " ", words, " ", stop);
  uploads.append(row);
  const upload = { row, bar, words, name: file.name, isStopped: false, request: null };
  stop.addEventListener("click", () => {
    upload.isStopped = true;
    if (upload.request) upload.request.abort();
    row.remove();
    input.focus();
  });
  return upload;
}

function send(file, upload, target) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const url = target.url();
    const isForked = () => target.url() !== url;
    upload.request = request;
    current = { file, upload, request };
    request.open("POST", url);
    progress(upload, "uploading");
    request.upload.addEventListener("load", () => {
      upload.bar.removeAttribute("value");
      progress(upload, "uploaded, being scanned for viruses");
    });
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) upload.bar.value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("load", () => {
      if (isForked()) return;
      const isList = request.status === 200 || request.status === 422;
      if (isList && /\/(?:files|links\/add)\/$/.test(request.responseURL)) {
        target.list.innerHTML = request.responseText;
        const refusal = target.list.querySelector(".govuk-error-message")?.textContent.trim();
        state.textContent = request.status === 200 ? `${file.name} added.` : refusal ?? "";
      }
      else fail(file, request.status, target);
    });
    request.addEventListener("error", () => { if (!isForked()) fail(file, 0, target); });
    // The service may have had all of it, and keeps it where the scan ends well.
    request.addEventListener("abort", () => { if (!isForked()) refresh(target); });
    request.addEventListener("loadend", () => {
      current = null;
      if (isForked() && !upload.isStopped) { done(send(file, upload, target)); return; }
      upload.row.remove();
      done();
    });
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.set("attachments", file);
    if (isRich) body.set("rich", "1");
    request.send(body);
  });
}

// Beside the file, and once for each step to screen readers.
function progress(upload, words) {
  upload.words.textContent = words;
  state.textContent = `${upload.name}: ${words}`;
}

// Shows the files that the draft has: sending takes those that the page shows.
async function refresh(target) {
  if (target !== linked) return;
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  try {
    const response = await fetch(`${form.dataset.draftUrl}links/remove/`, { method: "POST", body });
    if (response.ok && !response.redirected) target.list.innerHTML = await response.text();
  } catch { /* Sending asks about what this page has not shown. */ }
}

function fail(file, status, target) {
  refresh(target);
  complain(status === 413
    ? `${file.name} was not added: it is too large.`
    : `${file.name} was not added. Try again; if that fails too, save the draft and sign in again.`);
}

function complain(text) {
  const words = document.createElement("p");
  words.className = "govuk-error-message";
  words.textContent = text;
  list.prepend(words);
  state.textContent = text;
  return words;
}

const countOf = (file) => [...list.querySelectorAll("[data-size]")].filter((one) => Number(one.dataset.size) === file.size && one.textContent.includes(file.name)).length;

// What is on its way would go to the draft that another window has: it goes to ours, unless
// the copies include it already.
form.addEventListener("draft-forked", ({ detail: { files, links: own } }) => {
  const before = current ? countOf(current.file) : 0;
  list.innerHTML = files;
  if (linked) linked.list.innerHTML = own;
  if (!current) return;
  if (countOf(current.file) > before) {
    current.upload.isStopped = true;
    state.textContent = `${current.file.name} added.`;
  }
  current.request.abort();
});
input.addEventListener("change", () => { add([...input.files]); input.value = ""; });

area.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-remove], [data-unlink]");
  if (!button) return;
  event.preventDefault();
  const isLink = "unlink" in button.dataset;
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.set("file", isLink ? button.dataset.unlink : button.dataset.remove);
  if (isRich) body.set("rich", "1");
  const path = isLink ? "links/remove/" : "files/remove/";
  const response = await fetch(form.dataset.draftUrl + path, { method: "POST", body });
  if (response.ok && !response.redirected) {
    const target = isLink ? linked : attached;
    target.list.innerHTML = await response.text();
    state.textContent = "Removed.";
    target.list.focus();
  }
});

// A submit now would send without these files. Capture, so that this runs first.
document.addEventListener("submit", (event) => {
  if (!waiting || event.target !== form) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!list.textContent.includes(HELD)) complain(HELD);
  list.focus();
}, true);
addEventListener("beforeunload", (event) => { if (waiting) event.preventDefault(); });

// Anywhere on the page: a browser opens a file that is dropped elsewhere.
const carriesFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const isOver = name === "dragenter" || name === "dragover";
    const isAway = name === "drop" || (name === "dragleave" && !event.relatedTarget);
    if (isOver || isAway) area.classList.toggle("app-write__files--over", isOver);
    if (name === "drop") add([...event.dataTransfer.files]);
  });
}
