// A button beside each value that copies it. Without scripts the values can be selected.
for (const value of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "postern-copy";
  const label = document.createElement("span");
  // The second is Wagtail's.
  label.className = "govuk-visually-hidden w-sr-only";
  label.textContent = " " + value.dataset.copy;
  const word = document.createElement("span");
  word.textContent = "Copy";
  button.append(word, label);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value.textContent);
    word.textContent = "Copied";
    setTimeout(() => { word.textContent = "Copy"; }, 3000);
  });
  value.after(" ", button);
}
