/* Keyboard shortcuts: one registry; never while somebody types or a dialog is open; can be switched off.
   The list that people read is templates/web/_shortcuts.html. */
import { openUp } from "./menus.js";

const PLACE_WITHIN = 1500; // ms after "g"

function areOff() {
  return localStorage.getItem("shortcuts") === "off";
}

const toggle = document.getElementById("shortcuts-on");
if (toggle) {
  toggle.checked = !areOff();
  toggle.addEventListener("change", () => localStorage.setItem("shortcuts", toggle.checked ? "on" : "off"));
}

function moveBy(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => "selected" in row.dataset);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  for (const row of rows) delete row.dataset.selected;
  next.dataset.selected = "";
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
}

function press(selector) {
  document.querySelector(selector)?.click();
}

function pin() {
  const entry =
    document.querySelector("[data-entry]:target, [data-entry]:hover") ?? document.querySelector("[data-entry]");
  entry?.querySelector("[data-pin]")?.click();
}

const ACTS = {
  "/": () => document.querySelector("input[type=search]")?.focus(),
  "?": () => document.getElementById("shortcuts")?.showModal(),
  c: () => location.assign("/incidents/new/"),
  j: () => moveBy(1),
  k: () => moveBy(-1),
  o: () => press("[data-row][data-selected] a"),
  p: pin,
  x: () => press("[data-row][data-selected] input[type=checkbox]"),
};

/* An act on chosen rows is one on the row where one stands, where none is chosen. */
function chooseSelected() {
  if (!document.querySelector("[data-row] input:checked")) press("[data-row][data-selected] input[type=checkbox]");
}

/* What a page marks with data-key: opened and ready to type in, or pressed. */
function actOfPage(key) {
  const marked = /^[a-z]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
  if (!marked) return null;
  return () => {
    if (marked.closest(".bulk")) chooseSelected();
    if (marked.tagName === "SUMMARY") openUp(marked.parentElement);
    else marked.click();
  };
}

function isTyping({ target }) {
  return /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;
}

let placeAskedAt = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || areOff()) return;
  if (isTyping(event) || document.querySelector("dialog[open]")) return;
  const { key } = event;
  if (Date.now() - placeAskedAt < PLACE_WITHIN) {
    placeAskedAt = 0;
    event.preventDefault();
    press(`[data-go="${CSS.escape(key)}"]`);
  } else if (key === "g") {
    placeAskedAt = Date.now();
  } else {
    const act = ACTS[key] ?? actOfPage(key);
    if (!act) return;
    event.preventDefault();
    act();
  }
});
