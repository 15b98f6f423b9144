// Shows each step as it changes, without moving the page under a reader.
const EVERY = 2000; // milliseconds

async function look() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("rehearsal");
  const shown = document.getElementById("rehearsal");
  const before = shown.querySelectorAll("li");
  fresh.querySelectorAll("li").forEach((step, at) => {
    if (step.innerHTML !== before[at].dataset.html) {
      before[at].innerHTML = step.innerHTML;
      before[at].dataset.html = step.innerHTML;
    }
  });
  const status = shown.querySelector("[role=status]");
  const words = fresh.querySelector("[role=status]").textContent;
  if (status.textContent !== words) status.textContent = words;
  if (fresh.dataset.running === "yes") setTimeout(look, EVERY);
  else shown.dataset.running = "no";
}

for (const step of document.querySelectorAll("#rehearsal li")) step.dataset.html = step.innerHTML;
setTimeout(look, EVERY);
