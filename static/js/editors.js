/* A fact is changed where it is read: its form opens in the place of its button, Escape or Cancel closes it, and once it is saved
   the page asks for what is new. */
import { refresh } from "./live.js";

function close(form) {
  const place = form.parentElement;
  const opener = document.querySelector(`[aria-controls="${place.id}"]`);
  place.replaceChildren();
  opener?.focus();
}

/* Ready to type in, or to choose in: what is wrong comes first. */
function enter(form) {
  const wrong = form.querySelector("[aria-invalid=true]");
  const first = wrong ?? form.querySelector("input:checked, .field :is(input, textarea, select)");
  const list = first.closest("[data-chooser]");
  const target = list?.querySelector(".chooser__find") ?? list?.querySelector("input:checked") ?? first;
  const fold = form.closest("details");
  if (fold) fold.open = true;
  target.focus();
  list?.querySelector("input:checked")?.closest(".choice").scrollIntoView({ block: "nearest" });
}

document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
  const form = detail.target.querySelector?.(":scope > form[data-editing]");
  if (form) enter(form);
});

document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.matches("form[data-editing]") || detail.xhr.status !== 204) return;
  close(detail.elt);
  document.body.dispatchEvent(new Event("facts"));
  refresh();
});

document.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-editing] [data-cancel]");
  if (!cancel) return;
  event.preventDefault();
  close(cancel.closest("form"));
});

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest("form[data-editing]");
  if (form) close(form);
});
