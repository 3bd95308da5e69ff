/* Choosing a time zone: [data-zone] is offered the browser's own, where the list has it and it is not chosen already. */
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const list of document.querySelectorAll("select[data-zone]")) {
  if (list.value === own || ![...list.options].some((option) => option.value === own)) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "linkish small";
  button.textContent = `Use ${own.replaceAll("_", " ")}, the zone of this browser`;
  button.addEventListener("click", () => {
    list.value = own;
    button.remove();
    list.focus();
  });
  list.after(button);
}
