// Lists that can be searched: what does not hold the words is hidden.

document.documentElement.classList.add("has-js");

for (const list of document.querySelectorAll("[data-filter-list]")) {
  const input = list.querySelector("[data-filter]");
  const onlyUsed = list.querySelector("[data-only-used]");

  const isUsed = (item) => {
    const used = document.querySelector("[data-used-attributes]")?.dataset.usedAttributes ?? "";
    const own = item.querySelector("input[type=text]");
    const isChanged = own?.value || item.querySelector("input[type=checkbox]:checked");
    return isChanged || used.split(" ").includes(item.dataset.attribute);
  };

  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of list.querySelectorAll("[data-filter-text]")) {
      const text = item.dataset.filterText.toLowerCase();
      const isFound = words.every((word) => text.includes(word));
      item.hidden = !isFound || Boolean(onlyUsed?.checked && !words.length && !isUsed(item));
    }
  };

  input.addEventListener("input", apply);
  // Enter in a search field must not save the form around it.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  onlyUsed?.addEventListener("change", apply);
  document.addEventListener("preview:refreshed", apply);
  apply();
}
