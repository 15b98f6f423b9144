// Counts down beside Undo, and removes the banner when the message has left.
for (const banner of document.querySelectorAll("[data-seconds-left]")) {
  const leavesAt = Date.now() + 1000 * Number(banner.dataset.secondsLeft);
  const count = banner.querySelector(".app-undo-send__count");
  // A screen reader announces the sentence once, not each second.
  banner.setAttribute("aria-live", "off");
  const timer = setInterval(() => {
    const left = Math.ceil((leavesAt - Date.now()) / 1000);
    count.textContent = Math.max(0, left);
    if (left <= 0) {
      clearInterval(timer);
      if (!banner.contains(document.activeElement)) banner.remove();
    }
  }, 500);
}
