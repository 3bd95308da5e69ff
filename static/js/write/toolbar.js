/* The buttons above a section. */
import { root } from "./page.js";
import { addBlock, markLines, wrap } from "./text.js";

const SPRITE = document.querySelector("svg use")?.getAttribute("href").split("#")[0] ?? "/static/icons.svg";

/* Open the comment of the section about the chosen words. */
function comment({ area, key }) {
  const details = root.querySelector(`[data-remarks="${key}"] [data-comment]`)?.parentElement;
  if (!details) return;
  details.open = true;
  details.querySelector("[data-quote]").value = area.value.slice(area.selectionStart, area.selectionEnd);
  details.querySelector("textarea[name=text]").focus();
}

const ACTS = [
  ["bold", "Bold", ({ area }) => wrap(area, "**", "**", "bold")],
  ["italic", "Italic", ({ area }) => wrap(area, "_", "_", "italic")],
  ["link", "Link", ({ area }) => wrap(area, "[", "](https://)", "words")],
  ["list", "List", ({ area }) => markLines(area, "- ")],
  ["list-checks", "Task list", ({ area }) => markLines(area, "- [ ] ")],
  ["quote", "Quote", ({ area }) => markLines(area, "> ")],
  ["code", "Code", ({ area }) => wrap(area, "`", "`", "code")],
  ["table", "Table", ({ area }) => addBlock(area, "| What | When |\n| --- | --- |\n|  |  |")],
  ["image", "Picture or file", ({ files }) => files.choose()],
  ["message-square", "Comment on the selected words", comment],
];

export function addToolbar(bar, editor) {
  for (const [icon, label, act] of ACTS) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn--quiet btn--small";
    button.title = label;
    button.setAttribute("aria-label", `${label}, ${editor.key}`);
    button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${SPRITE}#${icon}"></use></svg>`;
    button.addEventListener("mousedown", (event) => event.preventDefault()); // the words stay chosen
    button.addEventListener("click", () => act(editor));
    bar.append(button);
  }
}
