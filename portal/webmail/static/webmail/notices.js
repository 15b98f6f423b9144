// Lets a person choose notifications in this browser. Asks for permission on a click alone.
const box = document.querySelector("[data-notices]");

if (box && "Notification" in window) {
  const key = `${box.dataset.notices}-notices`;
  const state = box.querySelector("[data-notices-state]");
  const words = (name) => box.querySelector(`[data-notices-words=${name}]`).textContent;
  const buttons = [...box.querySelectorAll("[data-notices-do]")];
  const isOn = () => localStorage.getItem(key) === "on" && Notification.permission === "granted";

  const show = (said) => {
    state.textContent = said;
    for (const button of buttons) button.hidden = (button.dataset.noticesDo === "on") === isOn();
  };

  for (const button of buttons) {
    button.addEventListener("click", async () => {
      localStorage.setItem(key, button.dataset.noticesDo);
      const isAsked = button.dataset.noticesDo === "on";
      const permission = isAsked ? await Notification.requestPermission() : "";
      show(isOn() ? words("on") : permission === "denied" ? words("denied") : "");
      buttons.find((one) => !one.hidden).focus();
    });
  }
  show(isOn() ? words("on") : "");
  box.hidden = false;
}
