// Registers the service worker, which answers while there is no connection.
const { worker } = document.querySelector("link[rel=manifest]").dataset;
if ("serviceWorker" in navigator) navigator.serviceWorker.register(worker, { scope: "/mail/" }).catch(() => {});
