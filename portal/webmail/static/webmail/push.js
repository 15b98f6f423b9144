// Subscribes this browser to notifications that come while no page is open, on a click alone,
// and renews the subscription when the same person signs in again.
const form = document.querySelector("[data-push]");

async function registration() {
  await navigator.serviceWorker.register("/mail/service-worker.js", { scope: "/mail/" });
  return (await navigator.serviceWorker.getRegistration("/mail/")) ?? Promise.reject(new Error("none"));
}

async function active(found) {
  const worker = found.active ?? found.waiting ?? found.installing;
  if (worker.state === "activated") return found;
  await new Promise((resolve) => {
    worker.addEventListener("statechange", () => { if (worker.state === "activated") resolve(); });
  });
  return found;
}

const octets = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

async function drop() {
  const found = await navigator.serviceWorker.getRegistration("/mail/");
  await (await found?.pushManager.getSubscription())?.unsubscribe();
}

// `kept` is where the browser keeps the person's choice; `token` is against forged requests.
export async function renew({ pushKept: kept, pushRenew: url, pushToken: token }) {
  const found = await navigator.serviceWorker.getRegistration("/mail/");
  const subscription = await found?.pushManager.getSubscription();
  if (!subscription || Notification.permission !== "granted") {
    localStorage.removeItem(kept);
    return;
  }
  const body = new URLSearchParams({ endpoint: subscription.endpoint, csrfmiddlewaretoken: token });
  const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
  if (answer.status !== 410) return;
  localStorage.removeItem(kept);
  await subscription.unsubscribe();
}

function setUp() {
  const { pushKept: kept, pushKey: key } = form.dataset;
  const state = form.querySelector("[data-push-state]");
  const words = (name) => form.querySelector(`[data-push-words=${name}]`).textContent;

  async function subscribe() {
    if ((await Notification.requestPermission()) !== "granted") {
      return words(Notification.permission === "denied" ? "denied" : "unanswered");
    }
    const found = await active(await registration());
    // One for an earlier key of the service would be refused.
    await (await found.pushManager.getSubscription())?.unsubscribe();
    const made = await found.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: octets(key) });
    const { endpoint, keys } = made.toJSON();
    const body = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries({ endpoint, ...keys })) body.set(name, value);
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    if (answer.ok) {
      localStorage.setItem(kept, "on");
      location.reload();
      return words("on");
    }
    await made.unsubscribe();
    return answer.status === 400 ? (await answer.json()).refusal : words("failed");
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    state.textContent = words("asking");
    try { state.textContent = await subscribe(); } catch { state.textContent = words("failed"); }
  });
  // Ended here or elsewhere: the browser's own half, too.
  if (form.dataset.pushHere === "off" && localStorage.getItem(kept)) {
    localStorage.removeItem(kept);
    drop().catch(() => {});
  }
  if (Notification.permission === "denied") state.textContent = words("denied");
  form.hidden = false;
}

if (form) {
  const is = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (is) setUp();
  else document.querySelector("[data-push-unable]").hidden = false;
}
