// The checkbox that selects all messages of a page. Everything works without it.
const chooser = document.querySelector("[data-choose-all]");
if (chooser) {
  const all = chooser.querySelector("input");
  const boxes = () => document.querySelectorAll("input[name=message]");
  chooser.hidden = false;
  all.addEventListener("change", () => boxes().forEach((box) => { box.checked = all.checked; }));
}
