/* Lists: chosen from, sent as soon as a choice is made. */

/* Of a line of tabs that scrolls, the one that is shown can be seen. */
for (const tabs of document.querySelectorAll(".tabs--line")) {
  const current = tabs.querySelector("[aria-current]");
  if (current) tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
}

/* What narrows a list, folded into one button where there is little room. */
for (const button of document.querySelectorAll("[data-unfold]")) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
  });
}

/* Choosing rows: all at once, and how many are. */
const all = document.querySelector("input[data-choose-all]");
if (all) {
  const count = document.querySelector("[data-chosen]");
  const idle = count.textContent;
  const boxes = () => [...document.querySelectorAll(`input[type=checkbox][name="${all.dataset.chooseAll}"]`)];
  const tell = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    count.textContent = chosen ? `${chosen} selected` : idle;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    tell();
  });
  document.addEventListener("change", (event) => event.target.name === all.dataset.chooseAll && tell());
  document.body.addEventListener("htmx:afterSettle", tell);
  tell();
}

/* Where the choices are folded, they are sent together by their button. */
for (const box of document.querySelectorAll("select[data-submit]")) {
  const fold = box.form.querySelector("[data-unfold]");
  box.addEventListener("change", () => fold?.checkVisibility() || box.form.requestSubmit());
}
