// Keeps the preview, the checklist and the verdicts in step with what is typed. Nothing is saved.

const page = document.querySelector("[data-connection-form]");
const form = page?.closest("form");
const PAUSE = 350;

if (form) {
  let timer = 0;
  let running = null;
  let isUnsaved = false;

  const fill = (html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const part of parsed.querySelectorAll("[data-slot]")) {
      const slot = page.querySelector(`[data-slot="${CSS.escape(part.dataset.slot)}"]`);
      slot?.replaceChildren(...part.childNodes);
    }
    document.dispatchEvent(new Event("preview:refreshed"));
  };

  const refresh = async () => {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(page.dataset.previewUrl, {
        method: "POST",
        body: new FormData(form),
        signal: running.signal,
        redirect: "error",
      });
      if (answer.ok) fill(await answer.text());
      page.classList.toggle("is-stale", !answer.ok);
    } catch (error) {
      if (error.name !== "AbortError") page.classList.add("is-stale");
    }
  };

  const later = (event) => {
    // A search field has no name and changes nothing; a formset tells of rows that came or went.
    if (!event.target.name && !event.target.matches("[data-formset]")) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE);
    isUnsaved = true;
    for (const note of document.querySelectorAll("[data-unsaved]")) note.hidden = false;
  };

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    isUnsaved = false;
  });
  // Test, a link or a closed window would lose what was typed.
  addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });
}
