// Refreshes the preview, the checklist and the response checks while the form is edited. Nothing is
// saved.

const page = document.querySelector("[data-connection-form]");
const form = page?.closest("form");
const DELAY_MS = 350;

if (form) {
  let timer = 0;
  let request = null;
  let isUnsaved = false;

  const replaceFragments = (html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const fragment of parsed.querySelectorAll("[data-fragment]")) {
      const target = page.querySelector(`[data-fragment="${CSS.escape(fragment.dataset.fragment)}"]`);
      target?.replaceChildren(...fragment.childNodes);
    }
    document.dispatchEvent(new Event("preview:refreshed"));
  };

  const refresh = async () => {
    request?.abort();
    request = new AbortController();
    try {
      const response = await fetch(page.dataset.previewUrl, {
        method: "POST",
        body: new FormData(form),
        signal: request.signal,
        redirect: "error",
      });
      if (response.ok) replaceFragments(await response.text());
      page.classList.toggle("is-stale", !response.ok);
    } catch (error) {
      if (error.name !== "AbortError") page.classList.add("is-stale");
    }
  };

  const scheduleRefresh = (event) => {
    // A search field has no name and changes nothing; a formset dispatches for added or removed rows.
    if (!event.target.name && !event.target.matches("[data-formset]")) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, DELAY_MS);
    isUnsaved = true;
    for (const note of document.querySelectorAll("[data-unsaved]")) note.hidden = false;
  };

  form.addEventListener("input", scheduleRefresh);
  form.addEventListener("change", scheduleRefresh);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    isUnsaved = false;
  });
  // The Test button, a link or closing the window would lose unsaved changes.
  addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });
}
