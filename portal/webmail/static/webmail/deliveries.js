// Shows what became of sent mail as it changes, while something still can.
const FIRST = 4000; // milliseconds
const LONGEST = 60000;
let pause = FIRST;

function live() {
  return [...document.querySelectorAll("[data-delivery][data-live]")];
}

// Says which message it is about, because a list has many.
function announce(fresh, row) {
  const news = document.querySelector("[data-delivery-news]");
  const subject = row?.querySelector(".app-mail-row__subject");
  if (news && subject) news.textContent = `${subject.textContent}: ${fresh.textContent}`;
}

function show(fragment) {
  let isChanged = false;
  for (const fresh of fragment.querySelectorAll("[data-delivery]")) {
    const shown = document.querySelector(`[data-delivery="${fresh.dataset.delivery}"]`);
    if (!shown || shown.outerHTML === fresh.outerHTML) continue;
    announce(fresh, shown.closest("li"));
    shown.replaceWith(fresh);
    isChanged = true;
  }
  return isChanged;
}

async function look() {
  const waiting = live();
  if (!waiting.length) return;
  let isOver = false;
  if (!document.hidden) {
    const url = new URL(waiting[0].closest("[data-delivery-url]").dataset.deliveryUrl, location.href);
    for (const one of waiting) url.searchParams.append("message", one.dataset.delivery);
    try {
      const answer = await fetch(url, { credentials: "same-origin" });
      // Redirected to the sign-in page, or no longer allowed.
      isOver = answer.redirected || (answer.status >= 400 && answer.status < 429);
      if (answer.ok && !isOver) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        pause = show(page) ? FIRST : Math.min(pause * 1.4, LONGEST);
      } else pause = LONGEST;
    } catch {
      pause = LONGEST; // offline
    }
  }
  if (!isOver) setTimeout(look, pause);
}

document.addEventListener("visibilitychange", () => { pause = FIRST; });
if (live().length) setTimeout(look, FIRST);
