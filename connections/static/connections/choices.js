// Shows only what belongs to a choice: the fields of one authorization, the help of one encoding.

const follow = (select, attribute) => {
  if (!select) return;
  const apply = () => {
    for (const part of document.querySelectorAll(`[data-${attribute}]`)) {
      part.hidden = part.dataset[attribute] !== select.value;
    }
  };
  select.addEventListener("change", apply);
  apply();
};

follow(document.querySelector("[name=authorization_kind]"), "authorization");
follow(document.querySelector("[name=encoding]"), "encoding");

// A rule without a place has no path, and some operators compare with nothing.
const NO_VALUE = ["exists", "absent", "empty", ""];

const isSet = (input) => (input.type === "checkbox" ? input.checked : input.value !== "");

const adapt = (row) => {
  const field = (name) => row.querySelector(`[name$=-${name}]`);
  const where = field("where").value;
  const comparesNothing = where === "" || NO_VALUE.includes(field("operator").value);
  const hide = (name, isHidden) => {
    field(name).closest(".field, .check").hidden = isHidden && !isSet(field(name));
  };
  hide("path", where === "" || where === "text");
  hide("operator", where === "");
  hide("value", comparesNothing);
  hide("ignore_case", comparesNothing);
};

const adaptAll = () => {
  for (const row of document.querySelectorAll(".rule-row")) adapt(row);
};

adaptAll();
document.addEventListener("change", (event) => {
  const row = event.target.closest?.(".rule-row");
  if (row) adapt(row);
});
document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-formset]")) adaptAll();
});
