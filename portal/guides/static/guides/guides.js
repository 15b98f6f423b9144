// Copies the address of a step, and plays a film from a chapter. Without it both are
// plain links.
const copied = document.createElement("span");
copied.className = "govuk-visually-hidden";
copied.setAttribute("role", "status");
document.body.append(copied);

for (const link of document.querySelectorAll(".guide-step__link")) {
  link.addEventListener("click", async () => {
    if (!navigator.clipboard) return;
    await navigator.clipboard.writeText(link.href);
    const word = link.firstChild;
    word.textContent = "Link copied";
    copied.textContent = "Link copied";
    setTimeout(() => { word.textContent = "Link"; copied.textContent = ""; }, 3000);
  });
}

const film = document.getElementById("film");
for (const link of film ? document.querySelectorAll("[data-second]") : []) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const begin = () => { film.currentTime = Number(link.dataset.second); film.play(); };
    film.focus();
    if (film.readyState > 0) begin();
    else { film.addEventListener("loadedmetadata", begin, { once: true }); film.load(); }
  });
}
