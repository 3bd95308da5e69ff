/* A section is read until somebody clicks into its text or presses its button: then its editor stands in the text's place. */
import { askForPart, posted, root } from "./page.js";

const DOUBLE = 220; // ms in which a second click marks a word

/* Where in the source the words stand that were clicked on; the end where they are not found as they are shown. */
function placeOf({ clientX, clientY }, text) {
  const at = document.caretPositionFromPoint?.(clientX, clientY) ?? document.caretRangeFromPoint?.(clientX, clientY);
  const before = (at?.offsetNode ?? at?.startContainer)?.textContent ?? "";
  const offset = at?.offset ?? at?.startOffset ?? 0;
  for (const length of [40, 20, 10, 5]) {
    const words = before.slice(Math.max(0, offset - length), offset);
    const found = words.trim() ? text.indexOf(words) : -1;
    if (found >= 0) return found + words.length;
  }
  return text.length;
}

export class Fold {
  constructor(form, area) {
    this.area = area;
    this.details = form.closest("details");
    this.button = this.details.querySelector("summary");
    this.reading = root.querySelector(`[data-reading="${form.dataset.editor}"]`);
    this.address = form.querySelector("[data-preview]").dataset.preview;
    this.timer = 0;
    this.text = form.querySelector("[name=base]").value; // what the page shows as written
    this.button.addEventListener("click", (event) => {
      event.preventDefault();
      this.open(area.value.length);
    });
    this.reading.addEventListener("click", (event) => {
      if (event.target.closest("a, summary, input")) return;
      const place = placeOf(event, area.value);
      clearTimeout(this.timer);
      if (event.pointerType === "mouse") this.timer = setTimeout(() => this.openUnlessMarked(place), DOUBLE);
      else this.openUnlessMarked(place);
    });
    this.reading.addEventListener("dblclick", () => clearTimeout(this.timer)); // it marks a word, whatever is clicked next
  }

  get isOpen() {
    return this.details.open;
  }

  /* Whoever marks words, as for a comment, does not mean to write. */
  openUnlessMarked(place) {
    if (String(getSelection() ?? "") === "") this.open(place);
  }

  open(place = null) {
    this.details.open = true;
    if (place === null) return;
    this.area.focus();
    this.area.setSelectionRange(place, place);
  }

  async close() {
    await this.show();
    const wasHere = this.details.contains(document.activeElement);
    this.details.open = false;
    if (wasHere) this.button.focus();
  }

  /* Show the text as it reads. Where the server cannot be asked, show it as it was typed. */
  async show() {
    const text = this.area.value;
    if (text === this.text) return;
    const html = text.trim() ? await askForPart(this.address, posted({ text })) : "";
    if (text !== this.area.value) return;
    this.text = text;
    this.details.toggleAttribute("data-empty", !text.trim());
    if (html === null) this.reading.textContent = text;
    else this.reading.innerHTML = html;
  }
}
