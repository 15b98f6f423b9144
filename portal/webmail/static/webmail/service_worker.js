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
