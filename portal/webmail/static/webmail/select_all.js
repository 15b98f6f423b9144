// Choosing messages of a list: all of a page, and with Shift every one between two.
// Everything works without it.
const list = document.getElementById("messages");
const chooser = document.querySelector("[data-choose-all]");
const boxes = () => [...document.querySelectorAll("#messages input[name=message]")];

if (chooser) {
  const all = chooser.querySelector("input");
  all.addEventListener("change", () => boxes().forEach((box) => { box.checked = all.checked; }));
}

if (list) {
  let last = null;
  list.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "message") return;
    if (event.shiftKey && last?.isConnected) {
      const every = boxes();
      const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
      every.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
    }
    last = box;
  });
}
