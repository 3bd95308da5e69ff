/* The palette (Ctrl K): go, search, and what this page offers. Places and incidents come from the server, by htmx. */
import { openUp } from "./menus.js";

const OFFERED = "#actions button, #actions summary, #composer summary, #head button, .page__head .btn";
const palette = document.getElementById("palette");
const words = document.getElementById("palette-words");
const onThisPage = document.getElementById("palette-here");

/* What a button hides is no part of its name; of what stands in a closed menu, nothing is rendered. */
function labelOf(act) {
  // biome-ignore lint/performance/useDomNodeTextContent: see above
  return (act.getAttribute("aria-label") || act.innerText || act.textContent).replace(/\s+\w?$/, "").trim();
}

function perform(act) {
  palette.close();
  if (act.tagName !== "SUMMARY") {
    act.click();
    return;
  }
  for (let details = act.closest("details"); details; details = details.parentElement.closest("details"))
    details.open = true;
  openUp(act.parentElement);
}

function itemFor(act, label) {
  const item = document.createElement("button");
  item.type = "button";
  item.className = "palette__item";
  item.textContent = label;
  item.addEventListener("click", () => perform(act));
  return item;
}

/* With ">" first everything that this page offers, else what holds the words. */
function offer() {
  onThisPage.replaceChildren();
  const wanted = words.value.replace(/^>\s*/, "").trim().toLowerCase();
  if (!words.value.startsWith(">") && wanted.length < 2) return;
  const offered = new Set();
  for (const act of document.querySelectorAll(OFFERED)) {
    const label = labelOf(act);
    if (!act.closest("main") || !label || offered.has(label) || !label.toLowerCase().includes(wanted)) continue;
    offered.add(label);
    onThisPage.append(itemFor(act, label));
  }
}

function show() {
  if (palette.open) return;
  palette.showModal();
  words.value = "";
  offer();
  words.focus();
  window.htmx?.trigger(words, "open");
}

function choose(items, at) {
  for (const item of items) {
    delete item.dataset.chosen;
    item.setAttribute("aria-selected", "false");
  }
  const chosen = items[(at + items.length) % items.length];
  if (!chosen) return;
  chosen.dataset.chosen = "";
  chosen.setAttribute("aria-selected", "true");
  chosen.scrollIntoView({ block: "nearest" });
}

if (palette) {
  words.addEventListener("input", offer);
  palette.addEventListener("click", (event) => event.target === palette && palette.close());
  palette.addEventListener("keydown", (event) => {
    const items = [...palette.querySelectorAll(".palette__item")];
    const at = items.findIndex((item) => "chosen" in item.dataset);
    if (event.key === "ArrowDown") choose(items, at + 1);
    else if (event.key === "ArrowUp") choose(items, Math.max(at, 0) - 1);
    else if (event.key === "Enter") (items[at] ?? items[0])?.click();
    else if (event.key === "Escape")
      palette.close(); // else only the box is emptied
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const modified = (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey;
    if (!modified || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    show();
  });
}
