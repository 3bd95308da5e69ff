/* Ctrl+Enter and ⌘+Enter send what is typed in a textarea, with the first button of its form. */
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.defaultPrevented) return;
  if (target.tagName !== "TEXTAREA" || !target.form) return;
  const button = [...target.form.elements].find((part) => part.type === "submit" && !("preview" in part.dataset));
  if (!button) return;
  event.preventDefault();
  target.form.requestSubmit(button);
});
