// Adds and removes rows of a formset, and reorders them if they have positions.

const dispatchInput = (set) => set.dispatchEvent(new Event("input", { bubbles: true }));

const getRows = (set) => [...set.querySelectorAll("[data-formset-row]")];

const numberRows = (set) => {
  if (!("ordered" in set.dataset)) return;
  let position = 0;
  for (const row of getRows(set)) {
    if (row.hidden) continue;
    position += 1;
    row.querySelector("[name$=-position]").value = position;
  }
};

const add = (set) => {
  const total = set.querySelector("[name$=-TOTAL_FORMS]");
  const rows = set.querySelector("[data-formset-rows]");
  const template = set.querySelector("[data-formset-template]");
  const copy = document.createElement("template");
  copy.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
  const row = copy.content.firstElementChild;
  rows.append(row);
  total.value = Number(total.value) + 1;
  row.removeAttribute("data-blank");
  if (row.matches("details")) row.open = true;
  numberRows(set);
  row.querySelector("input:not([type=hidden]):not([name$=-position]), select, textarea")?.focus();
  dispatchInput(set);
};

const remove = (set, row) => {
  const checkbox = row.querySelector("[name$=-DELETE]");
  if (checkbox) checkbox.checked = true;
  row.hidden = true;
  set.querySelector("[data-formset-add]")?.focus();
  numberRows(set);
  dispatchInput(set);
};

// Blank rows are for people without JavaScript; with it, a button adds rows.
const removeBlankRows = (set) => {
  const total = set.querySelector("[name$=-TOTAL_FORMS]");
  const blank = getRows(set).filter((row) => "blank" in row.dataset);
  if ("keepOne" in set.dataset && blank.length === getRows(set).length) return;
  for (const row of blank.reverse()) {
    row.remove();
    total.value = Number(total.value) - 1;
  }
};

const move = (set, row, direction) => {
  const visible = getRows(set).filter((candidate) => !candidate.hidden);
  const other = visible[visible.indexOf(row) + (direction === "up" ? -1 : 1)];
  if (!other) return;
  if (direction === "up") other.before(row);
  else other.after(row);
  numberRows(set);
  row.querySelector(`[data-move=${direction}]`).focus();
  dispatchInput(set);
};

const makeDraggable = (set) => {
  let dragged = null;
  set.addEventListener("dragstart", (event) => {
    const handle = event.target.closest?.("[data-drag]");
    dragged = handle?.closest("[data-formset-row]") ?? null;
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(dragged, 12, 12);
    dragged.classList.add("is-dragged");
  });
  set.addEventListener("dragover", (event) => {
    const over = event.target.closest?.("[data-formset-row]");
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged);
    else over.after(dragged);
  });
  set.addEventListener("drop", (event) => event.preventDefault());
  set.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
    numberRows(set);
    dispatchInput(set);
  });
};

for (const set of document.querySelectorAll("[data-formset]")) {
  removeBlankRows(set);
  set.addEventListener("click", (event) => {
    const row = event.target.closest("[data-formset-row]");
    if (event.target.closest("[data-formset-add]")) add(set);
    else if (event.target.closest("[data-formset-remove]")) remove(set, row);
    else if (event.target.closest("[data-move]")) {
      move(set, row, event.target.closest("[data-move]").dataset.move);
    }
  });
  if ("ordered" in set.dataset) makeDraggable(set);
}

document.addEventListener("input", (event) => {
  if (!event.target.name?.startsWith("expected_responses-")) return;
  const row = event.target.closest("[data-formset-row]");
  const name = row?.querySelector("[name$=-name]")?.value;
  if (name) row.querySelector("[data-expected-name]").textContent = name;
});
