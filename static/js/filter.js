/* A box that leaves those of a list whose words hold what is typed: [data-filter] names the items, [data-filter-scope] is around
   both, [data-kind] are an item’s words where they are more than its text. */
function wordsOf(item) {
  return (item.dataset.kind ?? item.textContent).toLowerCase();
}

export function filter(box) {
  const scope = box.closest("[data-filter-scope]") ?? document;
  const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const items = [...scope.querySelectorAll(box.dataset.filter)];
  for (const item of items) {
    const words = wanted.length ? wordsOf(item) : "";
    item.hidden = !wanted.every((word) => words.includes(word));
  }
  for (const group of scope.querySelectorAll("[data-filter-group]")) {
    group.hidden = !group.querySelector(`${box.dataset.filter}:not([hidden])`);
  }
  const none = scope.querySelector("[data-filter-none]");
  if (none) none.hidden = items.some((item) => !item.hidden);
}

document.addEventListener("input", ({ target }) => {
  if ("filter" in (target.dataset ?? {})) filter(target);
});

/* What is here from the start, or arrives while somebody filters, is filtered too. */
function filterAgain() {
  for (const box of document.querySelectorAll("input[data-filter]")) if (box.value) filter(box);
}

document.body.addEventListener("htmx:afterSettle", filterAgain);
filterAgain();
