// Shows after each save of the draft who else is answering the same message.
const form = document.getElementById("write");
const place = document.getElementById("others-writing");

function show(sentences) {
  const shown = [...place.children].map((one) => one.textContent);
  if (shown.join("\n") === sentences.join("\n")) return;
  place.replaceChildren(...sentences.map((sentence) => {
    const line = document.createElement("p");
    line.className = "app-others-writing__one";
    line.textContent = sentence;
    return line;
  }));
}

form.addEventListener("draft-saved", (event) => show(event.detail.others || []));
