// Inserts a placeholder at the cursor of the body.

const field = document.querySelector("[name=document]");

document.querySelector(".palette")?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button || !field) return;
  field.setRangeText(
    button.dataset.insert,
    field.selectionStart,
    field.selectionEnd,
    "end",
  );
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
