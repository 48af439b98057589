// Rows of name and value: keeps exactly one blank row at the end.

const isBlank = (row) => [...row.querySelectorAll("input")].every((input) => !input.value);

const keepOneBlankRow = (list) => {
  const rows = [...list.querySelectorAll("[data-key-value]")];
  if (!rows.length) return;
  const blank = rows.filter(isBlank);
  for (const row of blank.slice(1)) row.remove();
  if (blank.length) {
    list.append(blank[0]);
    return;
  }
  const copy = rows.at(-1).cloneNode(true);
  for (const input of copy.querySelectorAll("input")) input.value = "";
  list.append(copy);
};

for (const list of document.querySelectorAll("[data-key-values]")) keepOneBlankRow(list);

document.addEventListener("change", (event) => {
  const list = event.target.closest?.("[data-key-values]");
  if (list) keepOneBlankRow(list);
});
document.addEventListener("input", (event) => {
  const list = event.target.closest?.("[data-key-values]");
  const last = list && [...list.querySelectorAll("[data-key-value]")].at(-1);
  if (last && !isBlank(last)) keepOneBlankRow(list);
});
