// Keeps a page current: when its mailbox has changed, loads what the server renders again and
// merges it. Everything works without it, after a reload. README.md says what a page declares.
const state = document.querySelector("[data-live-events]");
const news = document.querySelector("p[data-live-news]");
const SOON = 300; // milliseconds, at random: a hundred readers of one mailbox do not ask at once
const HIDDEN = 2000; // in a tab that is not shown
const WAITING = 60000; // where an outcome is shown that changes by the clock
// What scripts and people change on the page, and the server does not know.
const OWN = new Set(["hidden", "open", "aria-expanded", "aria-current", "tabindex"]);
let timer, isOver = false, isAsking = false, isBehind = false;

const keyOf = (node) => node.dataset?.liveKey ?? (node.id || undefined);
const isHeld = (row) => row.contains(document.activeElement) || row.querySelector("input:checked");

function mergeChildren(shown, fresh) {
  const coming = new Set([...fresh.children].map(keyOf));
  let isLast = fresh.dataset.liveMore !== undefined;
  for (const child of [...shown.children].reverse()) {
    const key = keyOf(child);
    if (key === undefined || coming.has(key)) isLast = false;
    // A row that new ones have pushed off the page stays while it is chosen.
    else if (!isLast || !isHeld(child)) child.remove();
  }
  const byKey = new Map([...shown.children].map((child) => [keyOf(child), child]));
  let next = shown.firstChild;
  for (const child of [...fresh.childNodes]) {
    const key = keyOf(child);
    const same = key === undefined ? next : byKey.get(key);
    if (same && same.nodeName === child.nodeName && keyOf(same) === key) {
      if (same === next) next = next.nextSibling;
      else shown.insertBefore(same, next);
      merge(same, child);
    } else shown.insertBefore(document.importNode(child, true), next);
  }
  while (next) {
    const after = next.nextSibling;
    if (keyOf(next) === undefined || coming.has(keyOf(next))) next.remove();
    next = after;
  }
}

function merge(shown, fresh) {
  if (shown.isEqualNode(fresh) || shown.dataset?.liveOwn !== undefined) return;
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    shown.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...shown.attributes]) {
    if (!fresh.hasAttribute(name) && !OWN.has(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!OWN.has(name) && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  mergeChildren(shown, fresh);
}

// The row that must not move: the one in use, else the first in view once the list is scrolled.
function rowInPlace() {
  const rows = [...document.querySelectorAll("[data-live-region=list] [data-live-key]")];
  const used = document.activeElement.closest("[data-live-key]");
  return rows.find((row) => row === used) ?? rows.find((row) => row.matches(":hover"))
    ?? (rows[0]?.getBoundingClientRect().top < 0
      ? rows.find((row) => row.getBoundingClientRect().bottom > 0) : undefined);
}

function keepingPlace(change) {
  const row = rowInPlace();
  const active = document.activeElement;
  const follower = row?.nextElementSibling ?? row?.previousElementSibling;
  const top = row?.getBoundingClientRect().top;
  const root = document.documentElement;
  root.style.overflowAnchor = "none";
  change();
  if (row?.isConnected) {
    let box = row.parentElement;
    while (box.parentElement && box.scrollHeight <= box.clientHeight + 1) box = box.parentElement;
    box.scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
  }
  requestAnimationFrame(() => { root.style.overflowAnchor = ""; });
  if (document.activeElement === active) return;
  const near = follower?.isConnected && (follower.querySelector(active.matches("input") ? "input" : "a"));
  const target = active.isConnected ? active : near || document.getElementById("messages");
  target?.focus({ preventScroll: true });
}

// Where the person has asked this browser for it (notices.js). Says neither who wrote nor what.
async function notify() {
  const { liveName, liveNotice, liveMailbox } = state.dataset;
  if (localStorage.getItem(`${liveName}-notices`) !== "on" || Notification.permission !== "granted") return;
  const options = { tag: `mailbox-${liveMailbox}` }; // one for all tabs
  try {
    const shown = new Notification(liveNotice, options);
    shown.onclick = () => { window.focus(); shown.close(); };
  } catch {
    // Browsers of telephones show them by the service worker alone.
    (await navigator.serviceWorker?.getRegistration("/mail/"))?.showNotification(liveNotice, options);
  }
}

function show(page) {
  const says = [...document.querySelectorAll("[data-live-says]")].map((one) => [one, one.textContent]);
  keepingPlace(() => {
    for (const fresh of page.querySelectorAll("[data-live-region]")) {
      const name = CSS.escape(fresh.dataset.liveRegion);
      const shown = document.querySelector(`[data-live-region="${name}"]`);
      if (shown) merge(shown, fresh);
    }
  });
  if (page.title) document.title = page.title;
  const now = page.querySelector("[data-live-mailbox]");
  if (now) {
    const { liveNumber, liveSince, liveAlso } = now.dataset;
    Object.assign(state.dataset, { liveNumber, liveSince }, liveAlso === undefined ? {} : { liveAlso });
  }
  const arrived = page.querySelector("[data-live-news]")?.textContent.trim();
  const changed = says.filter(([one, text]) => one.isConnected && one.textContent !== text)
    .map(([one]) => `${one.closest("li")?.querySelector(".app-mail-row__subject")?.textContent.trim() ?? ""}: ${one.textContent}`);
  if (arrived && document.hidden) notify();
  const text = [arrived, ...changed].filter(Boolean).join(". ");
  if (text) news.textContent = text;
  document.dispatchEvent(new CustomEvent("live:merged", { detail: { arrived } }));
}

async function refresh() {
  timer = undefined;
  if (isAsking) { isBehind = true; return; }
  isAsking = true;
  isBehind = false;
  try { await askAll(); } finally { isAsking = false; }
  if (isBehind) plan();
}

async function askAll() {
  const asked = [...document.querySelectorAll("[data-live-url]")].map((one) => one.dataset.liveUrl);
  for (const address of new Set(asked)) {
    const url = new URL(address, location.href);
    url.searchParams.set("since", state.dataset.liveSince);
    try {
      const answer = await fetch(url, { redirect: "manual" });
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      // Signed out, or no longer allowed. Of one that is gone, the others are shown.
      else if (answer.type === "opaqueredirect" || answer.status === 403) isOver = true;
    } catch { /* offline: the stream brings the number again */ }
  }
}

function plan() {
  if (!isOver) timer ??= setTimeout(refresh, document.hidden ? HIDDEN : Math.random() * SOON);
}

// The mailboxes that the page shows: its own, and on a list of several each "id:number".
function* shownMailboxes() {
  yield [state.dataset.liveMailbox, state.dataset.liveNumber];
  for (const one of (state.dataset.liveAlso ?? "").split(" ")) yield one.split(":");
}

function hear({ data: { numbers } }) {
  for (const [mailbox, number] of shownMailboxes()) {
    const now = numbers?.[mailbox];
    if (now !== undefined && String(now) !== number) plan();
  }
}

function listen() {
  const { liveName: name, liveEvents: events, liveNumbers: numbers, liveScript: script } = state.dataset;
  new BroadcastChannel(name).onmessage = hear;
  const urls = { name, events: new URL(events, location.href).href, numbers: new URL(numbers, location.href).href };
  if ("SharedWorker" in window) {
    new SharedWorker(script, { type: "module", name }).port.postMessage(urls);
    return;
  }
  const run = async () => {
    const stream = await import(script);
    await new Promise((resolve) => { stream.start(urls, resolve); });
  };
  if (navigator.locks) navigator.locks.request(name, run);
  else run();
}

if (state) {
  // After the page: someone who reads on quickly needs no stream for each page.
  setTimeout(listen, 500);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) plan(); });
  setInterval(() => {
    if (!document.hidden && document.querySelector("[data-live-waiting]")) plan();
  }, WAITING);
}
