// Polls the state of a queued test: goes to its result, or reloads the page when the state changes.

const box = document.querySelector("[data-waiting]");
const POLL_INTERVAL_MS = 300;

const poll = async () => {
  try {
    const response = await fetch(location.href, { headers: { Accept: "application/json" } });
    const test = await response.json();
    if (test.url) {
      location.replace(test.url);
      return;
    }
    if (test.state !== box.dataset.state) {
      location.reload();
      return;
    }
  } catch {
    // The web process may be restarting; try again.
  }
  setTimeout(poll, POLL_INTERVAL_MS);
};

if (box) poll();
