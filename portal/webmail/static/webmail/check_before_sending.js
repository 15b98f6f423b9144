// Asks what to look at before the message leaves, and shows it without leaving the page.
const form = document.getElementById("write");
const place = document.getElementById("before-sending");
let isChecked = false;

const isSend = (button) => button?.name === "do" && button.value === "send";

async function warnings() {
  const body = new FormData(form);
  body.delete("attachments");
  const response = await fetch(`${form.dataset.draftUrl}check/`, { method: "POST", body });
  // Whatever cannot be checked here is checked again when the message is sent.
  return response.ok && response.status !== 204 && !response.redirected ? response.text() : "";
}

async function checkAndSend(button) {
  let found = "";
  try {
    found = await warnings();
  } catch {
    // offline: sending says so
  }
  if (found) {
    place.innerHTML = found;
    place.querySelector("h2").focus();
    place.scrollIntoView({ block: "start" });
    return;
  }
  isChecked = true;
  form.requestSubmit(button);
}

// Capture, so that this runs before the script that stops saving the draft.
document.addEventListener("submit", (event) => {
  if (event.target !== form || event.defaultPrevented || !isSend(event.submitter)) return;
  if (isChecked) return;
  // What was confirmed before is asked again: the message may say something else now.
  place.replaceChildren();
  event.preventDefault();
  event.stopImmediatePropagation();
  checkAndSend(event.submitter);
}, true);

place.addEventListener("click", (event) => {
  const field = event.target.closest("a") && document.querySelector(event.target.closest("a").hash);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.scrollIntoView({ block: "center" });
});
