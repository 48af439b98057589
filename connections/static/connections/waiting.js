// Asks whether the test has a result, and goes there; the page itself says when to give up.

const box = document.querySelector("[data-waiting]");
const PAUSE = 300;

const ask = async () => {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" } });
    const found = await answer.json();
    if (found.url) {
      location.replace(found.url);
      return;
    }
    if (found.state !== box.dataset.state) {
      location.reload();
      return;
    }
  } catch {
    // The web process may be restarting; it is asked again.
  }
  setTimeout(ask, PAUSE);
};

if (box) ask();
