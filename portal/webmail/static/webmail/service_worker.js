// Says that there is no connection instead of the browser's own error. It keeps one page and
// its stylesheet, which are the same for everybody: never mail, nor any other answer.
const SHELL = "postern-offline-1";
const PAGE = "/mail/offline/";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const shell = await caches.open(SHELL);
    const response = await fetch(PAGE, { credentials: "omit", cache: "reload" });
    if (!response.ok || response.redirected) throw new Error("The offline page could not be loaded.");
    const sheets = [...(await response.clone().text()).matchAll(/<link rel="stylesheet" href="([^"]+)"/g)];
    await shell.addAll(sheets.map((found) => found[1]));
    await shell.put(PAGE, response);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== SHELL) await caches.delete(name);
    // The request of a page leaves at the same time as the worker starts.
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith((async () => {
      try {
        return (await event.preloadResponse) ?? (await fetch(request));
      } catch {
        return (await caches.match(PAGE, { ignoreVary: true })) ?? Response.error();
      }
    })());
  } else if (request.destination === "style") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request, { ignoreVary: true })) ?? Response.error()));
  }
});

// A push says for which mailbox, as the server worded it. None is shown to somebody who is
// looking at their mail: the page shows the message itself.
self.addEventListener("push", (event) => {
  event.waitUntil((async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    if (windows.some((one) => one.focused && new URL(one.url).pathname.startsWith("/mail/"))) return;
    let said = {};
    try { said = event.data.json(); } catch { /* nothing that we sent */ }
    await self.registration.showNotification(String(said.title ?? "You have new mail"), {
      tag: String(said.tag ?? "mail"),
      data: { url: String(said.url ?? "/mail/") },
    });
  })());
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url ?? "/mail/", self.location.origin);
  // Nowhere else, whatever a notification says.
  const target = url.origin === self.location.origin && url.pathname.startsWith("/mail/") ? url.href : "/mail/";
  event.waitUntil((async () => {
    const windows = await self.clients.matchAll({ type: "window" });
    const open = windows.find((one) => one.url === new URL(target, self.location.origin).href);
    await (open ? open.focus() : self.clients.openWindow(target));
  })());
});
