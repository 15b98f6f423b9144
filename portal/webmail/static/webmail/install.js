// Registers the service worker, which answers while there is no connection.
const { worker } = document.querySelector("link[rel=manifest]").dataset;
if ("serviceWorker" in navigator) navigator.serviceWorker.register(worker, { scope: "/mail/" }).catch(() => {});
// Where the person has chosen notifications in this browser, once for each tab.
const push = document.querySelector("link[rel=manifest]").dataset;
if (push.pushKept && localStorage.getItem(push.pushKept) === "on" && !sessionStorage.getItem(push.pushKept)) {
  sessionStorage.setItem(push.pushKept, "on");
  import(push.pushScript).then(({ renew }) => renew(push)).catch(() => {});
}
