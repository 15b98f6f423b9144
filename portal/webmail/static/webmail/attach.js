// Uploads each file as it is chosen or dropped, with progress, and a way to stop it.
const form = document.getElementById("write");
const list = document.getElementById("file-list");
const uploads = document.getElementById("uploads");
const input = document.getElementById("id_attachments");
const area = document.querySelector(".app-write__files");
const door = `${form.dataset.door}files/`;
let line = Promise.resolve();

document.querySelector(".app-write__attach").hidden = true;
for (const only of document.querySelectorAll(".app-js-only")) only.hidden = false;

function add(files) {
  for (const file of files) {
    const row = rowFor(file);
    // One after another: each answer holds the whole list.
    line = line.then(() => (row.isStopped ? undefined : send(file, row)));
  }
}

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
  row.append(label, " ", bar, " ", stop);
  uploads.append(row);
  const upload = { row, bar, isStopped: false, request: null };
  stop.addEventListener("click", () => {
    upload.isStopped = true;
    if (upload.request) upload.request.abort();
    row.remove();
    input.focus();
  });
  return upload;
}

function send(file, upload) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open("POST", door);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) upload.bar.value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("load", () => {
      const isList = request.status === 200 || request.status === 422;
      if (isList && request.responseURL.endsWith("/files/")) show(request.responseText);
      else fail(file, request.status);
    });
    request.addEventListener("error", () => fail(file, 0));
    request.addEventListener("loadend", () => { upload.row.remove(); done(); });
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.set("attachments", file);
    request.send(body);
  });
}

function show(html) {
  list.innerHTML = html;
}

function fail(file, status) {
  const words = document.createElement("p");
  words.className = "govuk-error-message";
  words.textContent = status === 413
    ? `${file.name} was not added: it is too large.`
    : `${file.name} was not added. Try again; if that fails too, save the draft and sign in again.`;
  list.prepend(words);
}

list.setAttribute("aria-live", "polite");
input.addEventListener("change", () => { add([...input.files]); input.value = ""; });

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-remove]");
  if (!button) return;
  event.preventDefault();
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.set("file", button.dataset.remove);
  const response = await fetch(`${door}remove/`, { method: "POST", body });
  if (response.ok && !response.redirected) {
    show(await response.text());
    list.focus();
  }
});

for (const name of ["dragenter", "dragover"]) {
  area.addEventListener(name, (event) => {
    event.preventDefault();
    area.classList.add("app-write__files--over");
  });
}
for (const name of ["dragleave", "drop"]) {
  area.addEventListener(name, (event) => {
    event.preventDefault();
    area.classList.remove("app-write__files--over");
  });
}
area.addEventListener("drop", (event) => add([...event.dataTransfer.files]));
