// Shows only what belongs to the selected choice: the fields of one authorization kind, the help
// of one encoding, the inputs that a rule needs.

const showSelected = (select, attribute) => {
  if (!select) return;
  const update = () => {
    for (const element of document.querySelectorAll(`[data-${attribute}]`)) {
      element.hidden = element.dataset[attribute] !== select.value;
    }
  };
  select.addEventListener("change", update);
  update();
};

showSelected(document.querySelector("[name=authorization_kind]"), "authorization");
showSelected(document.querySelector("[name=encoding]"), "encoding");

// A rule without an extractor has no path, and some operators compare with no value.
const OPERATORS_WITHOUT_VALUE = ["exists", "absent", "empty", ""];

const isSet = (input) => (input.type === "checkbox" ? input.checked : input.value !== "");

const updateRule = (row) => {
  const field = (name) => row.querySelector(`[name$=-${name}]`);
  const where = field("where").value;
  const hasNoValue = where === "" || OPERATORS_WITHOUT_VALUE.includes(field("operator").value);
  // An input that is set stays visible, so that nobody saves a value without seeing it.
  const hide = (name, isHidden) => {
    field(name).closest(".field, .check").hidden = isHidden && !isSet(field(name));
  };
  hide("path", where === "" || where === "text");
  hide("operator", where === "");
  hide("value", hasNoValue);
  hide("ignore_case", hasNoValue);
};

const updateAllRules = () => {
  for (const row of document.querySelectorAll(".rule-row")) updateRule(row);
};

updateAllRules();
document.addEventListener("change", (event) => {
  const row = event.target.closest?.(".rule-row");
  if (row) updateRule(row);
});
document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-formset]")) updateAllRules();
});
