// Lists with a search field: hides the items that don't contain all of the words.

document.documentElement.classList.add("has-js");

for (const list of document.querySelectorAll("[data-filter-list]")) {
  const input = list.querySelector("[data-filter]");
  const onlyUsed = list.querySelector("[data-only-used]");

  const isUsed = (item) => {
    const used = document.querySelector("[data-used-attributes]")?.dataset.usedAttributes ?? "";
    const sample = item.querySelector("input[type=text]");
    const isChanged = sample?.value || item.querySelector("input[type=checkbox]:checked");
    return isChanged || used.split(" ").includes(item.dataset.attribute);
  };

  const update = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of list.querySelectorAll("[data-filter-text]")) {
      const text = item.dataset.filterText.toLowerCase();
      const isMatch = words.every((word) => text.includes(word));
      item.hidden = !isMatch || Boolean(onlyUsed?.checked && !words.length && !isUsed(item));
    }
  };

  input.addEventListener("input", update);
  // Enter in a search field must not submit the form around it.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  onlyUsed?.addEventListener("change", update);
  document.addEventListener("preview:refreshed", update);
  update();
}
