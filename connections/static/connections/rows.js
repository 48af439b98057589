// Rows of name and value: there is always one blank row, and no more than one.

const isBlank = (row) => [...row.querySelectorAll("input")].every((input) => !input.value);

const tidy = (rows) => {
  const all = [...rows.querySelectorAll("[data-row]")];
  if (!all.length) return;
  const blank = all.filter(isBlank);
  for (const row of blank.slice(1)) row.remove();
  if (blank.length) {
    rows.append(blank[0]);
    return;
  }
  const copy = all.at(-1).cloneNode(true);
  for (const input of copy.querySelectorAll("input")) input.value = "";
  rows.append(copy);
};

const tidyAll = () => {
  for (const rows of document.querySelectorAll("[data-rows]")) tidy(rows);
};

tidyAll();
document.addEventListener("change", (event) => {
  const rows = event.target.closest?.("[data-rows]");
  if (rows) tidy(rows);
});
document.addEventListener("input", (event) => {
  const rows = event.target.closest?.("[data-rows]");
  const last = rows && [...rows.querySelectorAll("[data-row]")].at(-1);
  if (last && !isBlank(last)) tidy(rows);
});
