// Holds the one event stream of a browser, and passes on to its tabs which mailboxes changed.
// Runs as a shared worker or, where there are none, in the tab that holds a lock (live.js).
const POLL_EVERY = 10000; // milliseconds, where the server has no place for a stream
const POLLS = 6; // then a stream is tried again

let known = {};
let isRunning = false;
let given, channel, over;

function tell(numbers) {
  known = { ...known, ...numbers };
  channel.postMessage({ numbers: known });
}

function connect() {
  const source = new EventSource(given.events);
  source.addEventListener("numbers", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    // Otherwise the browser connects again by itself.
    if (source.readyState === EventSource.CLOSED) poll();
  });
}

async function poll() {
  for (let count = 0; count < POLLS; count += 1) {
    try {
      const answer = await fetch(given.numbers, { redirect: "manual", cache: "no-store" });
      if (answer.ok) tell(await answer.json());
      else if (answer.status < 429) {
        // Signed out, or no longer allowed: until a page is loaded again.
        isRunning = false;
        over?.();
        return;
      }
    } catch { /* offline */ }
    await new Promise((resolve) => { setTimeout(resolve, POLL_EVERY); });
  }
  connect();
}

// `urls` are those of the stream and of the numbers to poll, and the name of the channel.
export function start(urls, whenOver) {
  given = urls;
  over = whenOver;
  channel ??= new BroadcastChannel(urls.name);
  if (isRunning) tell({});
  else {
    isRunning = true;
    known = {};
    connect();
  }
}

if ("SharedWorkerGlobalScope" in globalThis) {
  globalThis.addEventListener("connect", ({ ports: [port] }) => {
    port.onmessage = ({ data }) => start(data);
  });
}
