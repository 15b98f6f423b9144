// The drawer of folders on a narrow screen: Escape closes it, and so does leaving it with
// the Tab key. It opens and closes without this.
const drawer = document.querySelector("[data-drawer]");
const isNarrow = matchMedia("(max-width: 55.99em)");
if (drawer) {
  const close = () => { drawer.open = false; };
  drawer.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isNarrow.matches || !drawer.open) return;
    close();
    drawer.querySelector("summary").focus();
  });
  drawer.addEventListener("focusout", (event) => {
    if (isNarrow.matches && event.relatedTarget && !drawer.contains(event.relatedTarget)) close();
  });
}
