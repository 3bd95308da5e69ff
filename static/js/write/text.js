/* How the text of a box is changed by anything but typing. Whoever listens to its input hears of it, except of `replace`. */
function changed(area) {
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/* Put marks around the chosen words, or around others where none are chosen. */
export function wrap(area, before, after, otherwise) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const words = value.slice(start, end) || otherwise;
  area.focus();
  area.setRangeText(before + words + after, start, end, "end");
  area.setSelectionRange(start + before.length, start + before.length + words.length);
  changed(area);
}

/* Begin each chosen line with a mark. */
export function markLines(area, mark) {
  const { selectionStart, selectionEnd, value } = area;
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const newline = value.indexOf("\n", selectionEnd);
  const end = newline < 0 ? value.length : newline;
  const lines = value.slice(start, end).split("\n");
  area.focus();
  area.setRangeText(lines.map((line) => mark + line).join("\n"), start, end, "end");
  changed(area);
}

/* Put a paragraph of its own after the caret. */
export function addBlock(area, text) {
  const { selectionEnd, value } = area;
  const before = value.slice(0, selectionEnd);
  const gap = !value || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  area.focus();
  area.setRangeText(`${gap}${text}\n`, selectionEnd, selectionEnd, "end");
  changed(area);
}

/* Put in another text with the caret among the same words: what both begin and end with stays where it is. */
export function replace(area, text) {
  const { value, selectionStart, selectionEnd, scrollTop } = area;
  const shorter = Math.min(value.length, text.length);
  let head = 0;
  while (head < shorter && value[head] === text[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && value[value.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
  const grown = text.length - value.length;
  const move = (place) => (place <= head ? place : Math.max(head, Math.min(text.length, place + grown)));
  area.value = text;
  if (document.activeElement === area) area.setSelectionRange(move(selectionStart), move(selectionEnd));
  area.scrollTop = scrollTop;
}
