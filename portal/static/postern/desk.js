// Tells colleagues who open the same ticket that a reply to it is being written.
const EVERY = 30000; // milliseconds
let told = 0;
for (const form of document.querySelectorAll("form[data-writing]")) {
  form.addEventListener("input", () => {
    if (Date.now() - told < EVERY) return;
    told = Date.now();
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    fetch(form.dataset.writing, { method: "POST", headers: { "X-CSRFToken": token } });
  });
}
