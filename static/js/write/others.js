/* What others do: their texts, where they are writing, their comments, and whether the postmortem went to another state. */
import { address, ask, askForPart, editors, root, session, warn, warnSignedOut } from "./page.js";

const EVERY = 3000;
let comments = null; // the mark of those that the page shows
let isAsking = false;

function renewToken(token) {
  session.token = token;
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
}

function showWriters(people) {
  for (const place of root.querySelectorAll("[data-here]")) {
    const names = people.filter((person) => person.key === place.dataset.here).map((person) => person.name);
    const text = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} writing here` : "";
    if (place.textContent !== text) place.textContent = text;
  }
}

async function showComments(mark) {
  const isNew = comments !== null && comments !== mark;
  comments = mark;
  if (!isNew) return;
  for (const place of root.querySelectorAll("[data-remarks]")) {
    if (place.querySelector("textarea:focus, input:focus")) continue;
    const html = await askForPart(`${address}sections/${place.dataset.remarks}/comments/`);
    if (html !== null) place.innerHTML = html;
  }
}

async function look() {
  const have = [...editors.values()].map((editor) => `${editor.key}:${editor.version}`).join(",");
  const { answer, data } = await ask(`${address}live/?${new URLSearchParams({ at: session.focused, have })}`);
  if (answer?.type === "opaqueredirect" && [...editors.values()].some((editor) => editor.isDirty)) warnSignedOut();
  if (!answer?.ok || !data) return; // the next turn tries again; a save that fails says so
  renewToken(data.csrf);
  for (const section of data.sections) editors.get(section.key)?.follow(section);
  showWriters(data.people);
  await showComments(data.comments);
  if (data.state !== root.dataset.postmortemState) {
    warn("This postmortem has moved to another state.", "Open it as it is now", address);
  }
}

/* Ask once, unless an answer is still awaited. */
export async function lookNow() {
  if (isAsking) return;
  isAsking = true;
  try {
    await look();
  } finally {
    isAsking = false;
  }
}

function lookIfSeen() {
  if (!document.hidden) lookNow();
}

export function watch() {
  setInterval(lookIfSeen, EVERY);
  document.addEventListener("visibilitychange", lookIfSeen);
  lookNow();
}
