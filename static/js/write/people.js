/* Names after an @: offered below the section that is typed in, chosen by keys or the mouse. */
import { ask } from "./page.js";

const NAME = /(?:^|[\s(])@([\w.+-]{1,30})$/;

const list = document.createElement("div");
list.className = "people-list";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "People");
list.hidden = true;
document.body.append(list);

let area = null;
let start = 0; // where the @ is
let at = 0;
let turn = 0;

function hide() {
  turn += 1; // what was asked before it was hidden shows nothing any more
  list.hidden = true;
  list.replaceChildren();
}

function take(button) {
  area.setRangeText(`@${button.dataset.handle} `, start, area.selectionStart, "end");
  hide();
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

function choose(next) {
  const items = [...list.children];
  at = (next + items.length) % items.length;
  for (const [n, item] of items.entries()) item.setAttribute("aria-selected", String(n === at));
}

function optionOf(person) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("role", "option");
  button.dataset.handle = person.handle;
  button.textContent = `${person.name} @${person.handle}`;
  button.addEventListener("mousedown", (event) => {
    event.preventDefault();
    take(button);
  });
  return button;
}

function showBelowArea() {
  const box = area.getBoundingClientRect();
  list.style.insetInlineStart = `${box.left + scrollX + 12}px`;
  list.style.insetBlockStart = `${box.bottom + scrollY + 4}px`;
  list.hidden = false;
  choose(0);
}

document.addEventListener("input", async ({ target }) => {
  if (target.tagName !== "TEXTAREA" || !target.closest("[data-editor]")) return;
  area = target;
  const typed = NAME.exec(area.value.slice(0, area.selectionStart))?.[1];
  if (!typed) {
    hide();
    return;
  }
  start = area.selectionStart - typed.length - 1;
  turn += 1;
  const asked = turn;
  const { answer, data } = await ask(`/postmortems/people/?q=${encodeURIComponent(typed)}`);
  if (asked !== turn || !answer?.ok || !data) return;
  list.replaceChildren(...data.people.map(optionOf));
  if (data.people.length) showBelowArea();
  else hide();
});
document.addEventListener("focusout", hide);

/* Choose by a key that was pressed in the section; true where it was one of the list's. */
export function chooseByKey(event) {
  if (list.hidden) return false;
  if (event.key === "ArrowDown") choose(at + 1);
  else if (event.key === "ArrowUp") choose(at - 1);
  else if (event.key === "Enter" || event.key === "Tab") take(list.children[at]);
  else if (event.key === "Escape") hide();
  else return false;
  event.preventDefault();
  return true;
}
