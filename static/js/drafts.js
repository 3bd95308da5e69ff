/* Drafts: what is typed into [data-draft] survives a reload, a crash and an expired session. */
const TROUBLE = ".field__error, .errors, .message--error, .entrance";

function keyOf(input) {
  return `draft:${location.pathname}:${input.dataset.draft}`;
}

/* Where it is typed in something that folds, the fold shows that it holds what was not sent. */
function tellOf(input) {
  input.closest(".composer > details")?.toggleAttribute("data-unsent", input.value !== "");
}

document.addEventListener("input", ({ target }) => {
  if (!("draft" in (target.dataset ?? {}))) return;
  if (target.value) localStorage.setItem(keyOf(target), target.value);
  else localStorage.removeItem(keyOf(target));
  tellOf(target);
});

/* A draft is dropped only once the next page shows that it was taken: an act that was taken ends in a redirect to a page without
   an error. A reload, Back or a page of trouble proves nothing. */
document.addEventListener("submit", (event) => {
  const keys = [...event.target.querySelectorAll("[data-draft]")].map(keyOf);
  if (keys.length) sessionStorage.setItem("sent", JSON.stringify(keys));
});

function wasTaken() {
  const arrival = performance.getEntriesByType("navigation")[0];
  return arrival?.type === "navigate" && arrival.redirectCount > 0 && !document.querySelector(TROUBLE);
}

const sent = sessionStorage.getItem("sent");
sessionStorage.removeItem("sent");
if (sent && wasTaken()) {
  for (const key of JSON.parse(sent)) localStorage.removeItem(key);
}

for (const input of document.querySelectorAll("[data-draft]")) {
  const draft = localStorage.getItem(keyOf(input));
  if (draft && !input.value) input.value = draft;
  if (draft) tellOf(input);
}
