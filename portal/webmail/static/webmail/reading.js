// An open message: its frame grows with its text, and a conversation unfolds at once.
// Everything works without this.
const frame = document.querySelector("iframe[data-measure]");
if (frame) measure(frame);

// The frame that is shown has no origin, so that its height cannot be read. A second, unseen
// one can be read, and may do even less: neither scripts nor links work in it.
function measure(shown) {
  const ruler = document.createElement("iframe");
  ruler.setAttribute("sandbox", "allow-same-origin");
  ruler.setAttribute("aria-hidden", "true");
  ruler.inert = true;
  ruler.tabIndex = -1;
  ruler.title = "";
  ruler.className = "app-message__ruler";
  const fit = () => {
    const page = ruler.contentDocument?.documentElement;
    // Two pixels of border; an odd pixel more than text needs would show a scroll bar.
    if (page?.scrollHeight) shown.style.height = `${Math.min(page.scrollHeight + 4, 20000)}px`;
  };
  ruler.addEventListener("load", () => { ruler.style.height = "0"; fit(); });
  new ResizeObserver(fit).observe(ruler);
  ruler.src = shown.dataset.measure;
  shown.before(ruler);
}

const expand = document.querySelector("[data-expand-all]");
if (expand) {
  const folded = [...document.querySelectorAll(".app-conversation__one")];
  const label = () => { expand.textContent = folded.every((one) => one.open) ? "Collapse all" : "Expand all"; };
  expand.setAttribute("role", "button");
  const turn = (event) => {
    event.preventDefault();
    const open = !folded.every((one) => one.open);
    folded.forEach((one) => { one.open = open; });
  };
  expand.addEventListener("click", turn);
  expand.addEventListener("keydown", (event) => { if (event.key === " ") turn(event); });
  folded.forEach((one) => one.addEventListener("toggle", label));
}

// A PDF in the browser's own viewer, loaded when it is wanted, where the browser has one.
for (const one of document.querySelectorAll("[data-pdf]")) {
  one.addEventListener("toggle", () => {
    if (!one.open || one.querySelector("iframe") || !navigator.pdfViewerEnabled) return;
    const viewer = document.createElement("iframe");
    viewer.className = "app-files__pdf";
    viewer.title = one.querySelector("summary").textContent;
    viewer.referrerPolicy = "no-referrer";
    viewer.src = one.dataset.pdf;
    one.append(viewer);
  });
}
