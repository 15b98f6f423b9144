// Counts down beside Undo, and takes the banner away once the message has left.
for (const banner of document.querySelectorAll("[data-leaves-in]")) {
  const leavesAt = Date.now() + 1000 * Number(banner.dataset.leavesIn);
  const count = banner.querySelector(".app-leaving__count");
  // The seconds run for the eye; a screen reader hears the sentence once.
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
