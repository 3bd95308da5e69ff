/* The drawer of evidence beside the text, and words marked in a text that is only read. */
import { root, session } from "./page.js";
import { addBlock } from "./text.js";

const QUOTE_LIMIT = 2000;
const drawer = document.getElementById("drawer");

function close() {
  if (drawer) drawer.hidden = true;
}

document.addEventListener("click", (event) => {
  if (drawer && event.target.closest("[data-drawer]")) {
    event.preventDefault();
    drawer.hidden = !drawer.hidden;
    if (!drawer.hidden) window.htmx?.trigger("#drawer-content", "opened");
  }
  if (event.target.closest("[data-drawer-close]")) close();
  const evidence = event.target.closest("[data-insert]");
  if (!evidence || !session.last) return;
  session.last.fold.open();
  addBlock(session.last.area, evidence.dataset.insert);
});
document.addEventListener("keydown", (event) => event.key === "Escape" && close());

/* The marked words become the quote of the comment that is begun next. */
document.addEventListener("mouseup", () => {
  const selection = getSelection();
  const words = String(selection ?? "").trim();
  const text = words && selection.anchorNode?.parentElement?.closest("[data-words]");
  const quote = text && root.querySelector(`[data-remarks="${text.dataset.words}"] [data-quote]`);
  if (quote && !quote.value) quote.value = words.slice(0, QUOTE_LIMIT);
});
