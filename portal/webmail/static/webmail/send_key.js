// Ctrl+Enter, or Command+Enter on a Mac, sends the message that is being written.
const form = document.getElementById("write");
form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  form.querySelector("button[name=do][value=send]")?.click();
});
