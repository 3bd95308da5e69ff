/* Writing a postmortem together. Each section saves itself over the text it was read as; the server puts both together or says who
   must choose. What is not saved yet is in this browser, with what it was written over, so that it can be put together later. */
import "./write/choices.js";
import { Editor } from "./write/editor.js";
import "./write/evidence.js";
import { watch } from "./write/others.js";
import { editors, root, session } from "./write/page.js";

for (const form of root.querySelectorAll("[data-editor]")) {
  const editor = new Editor(form);
  editors.set(editor.key, editor);
  session.last ??= editor;
}
/* What the list of missing things leads to is there to be written. */
root.querySelector("#missing")?.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const editor = editors.get(link?.hash.slice(1));
  if (!editor) return;
  event.preventDefault(); // the browser follows the link later, and would take the focus away again
  history.replaceState(null, "", link.hash);
  editor.fold.open(editor.area.value.length);
});
addEventListener("online", () => {
  for (const editor of editors.values()) editor.save();
});
addEventListener("beforeunload", () => {
  for (const editor of editors.values()) if (editor.isDirty) editor.keep();
});
watch();
