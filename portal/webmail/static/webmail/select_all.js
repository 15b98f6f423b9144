// Choosing messages of a list: all of a page, and with Shift every one between two.
// Everything works without it.
const boxes = () => [...document.querySelectorAll("#messages input[name=message]")];
let last = null;

// On the document: the list may come while the page is open.
document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-choose-all]")) boxes().forEach((box) => { box.checked = target.checked; });
});

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.matches("#messages input[name=message]")) return;
  if (event.shiftKey && last?.isConnected) {
    const every = boxes();
    const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
    every.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
  }
  last = box;
});
