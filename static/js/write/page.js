/* What the modules of writing share: the postmortem, who is signed in, the banner above it, and how the server is asked.
   Loaded only by a page that carries [data-postmortem]. */
export const root = document.querySelector("[data-postmortem]");
export const address = root.dataset.postmortem;

/* The editors of the page, by the key of their section. */
export const editors = new Map();

/* token: against forgery, renewed while the page is open. focused: the section that somebody types in. last: the editor used last. */
export const session = {
  token: document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "",
  focused: "",
  last: null,
};

/* Line ends and space at the end are no change. */
export function clean(text) {
  return text.replace(/\r\n?/g, "\n").replace(/\s+$/, "");
}

const banner = document.createElement("div");
banner.className = "banner";
banner.setAttribute("role", "alert");
banner.hidden = true;
document.getElementById("main").prepend(banner);

/* Say something above the page, with a link that opens a new tab; say "" to take it away. */
export function warn(text, linkText = "", href = "") {
  banner.replaceChildren(text);
  if (linkText) {
    const link = document.createElement("a");
    link.className = "link";
    link.target = "_blank";
    link.href = href;
    link.textContent = linkText;
    banner.append(" ", link);
  }
  banner.hidden = !text;
}

export function warnSignedOut() {
  const login = `/accounts/login/?next=${encodeURIComponent(address)}`;
  warn(
    "You are signed out. What you typed is kept in this browser.",
    "Sign in in a new tab, then come back here",
    login,
  );
}

/* Ask the server for JSON. `answer` is null where it was not reached, `data` where the answer is not JSON. */
export async function ask(url, options = {}) {
  try {
    const answer = await fetch(url, { redirect: "manual", headers: { Accept: "application/json" }, ...options });
    const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
    return { answer, data: isJson ? await answer.json() : null };
  } catch {
    return { answer: null, data: null };
  }
}

/* Ask for a part of a page; null where there is none to show. */
export async function askForPart(url, options = {}) {
  try {
    const answer = await fetch(url, { redirect: "manual", ...options });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

/* A POST of these fields. */
export function posted(fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...fields, csrfmiddlewaretoken: session.token })) body.set(name, value);
  return { method: "POST", body };
}

export function markDone(key, isDone) {
  if (!isDone) return;
  for (const dot of root.querySelectorAll(`[data-outline="${key}"] .dot`)) dot.className = "dot dot--done";
}
