// Turns the page's sections into tabs. Without JavaScript they stay sections, and the tabs links.

const list = document.querySelector("[data-tabs]");
const page = document.querySelector("[data-connection-form]");

if (list && page) {
  const tabs = [...list.querySelectorAll("[data-tab]")];
  const panels = new Map(
    [...page.querySelectorAll("[data-panel]")].map((panel) => [panel.dataset.panel, panel]),
  );
  const storageKey = `tab:${location.pathname}`;

  const show = (slug, { focus = false } = {}) => {
    if (!panels.has(slug)) return;
    for (const tab of tabs) {
      const isSelected = tab.dataset.tab === slug;
      tab.setAttribute("aria-selected", String(isSelected));
      tab.tabIndex = isSelected ? 0 : -1;
      panels.get(tab.dataset.tab).hidden = !isSelected;
      if (isSelected && focus) tab.focus();
    }
    sessionStorage.setItem(storageKey, slug);
  };

  const handleKey = (event) => {
    const current = tabs.indexOf(event.target.closest("[data-tab]"));
    const next = {
      ArrowRight: (current + 1) % tabs.length,
      ArrowLeft: (current - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    }[event.key];
    if (current < 0 || next === undefined) return;
    event.preventDefault();
    show(tabs[next].dataset.tab, { focus: true });
  };

  // Links of the preview and the checklist lead to a field on a tab that may be hidden.
  const followLink = (event) => {
    const link = event.target.closest("[data-goto-tab]");
    if (!link) return;
    event.preventDefault();
    show(link.dataset.gotoTab);
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    target?.closest("details")?.setAttribute("open", "");
    const field = target?.matches("[data-panel]")
      ? target.querySelector("input:not([type=hidden]), select, textarea")
      : target;
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  };

  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const panel = panels.get(tab.dataset.tab);
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    panel.classList.add("is-tab");
  }
  list.addEventListener("keydown", handleKey);
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (!tab) return;
    event.preventDefault();
    show(tab.dataset.tab);
  });
  page.addEventListener("click", followLink);

  const withError = page.querySelector(".errorlist")?.closest("[data-panel]")?.dataset.panel;
  const candidates = [withError, location.hash.slice(1), sessionStorage.getItem(storageKey)];
  show(candidates.find((slug) => panels.has(slug)) ?? tabs[0].dataset.tab);
}
