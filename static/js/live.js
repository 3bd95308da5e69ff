/* Fragments with hx-trigger="live from:body" ask again each second while somebody looks. */
const LOST = document.getElementById("connection-lost");

export function refresh() {
  document.body.dispatchEvent(new Event("live"));
}

function refreshIfSeen() {
  if (!document.hidden) refresh();
}

setInterval(refreshIfSeen, 1000);
document.addEventListener("visibilitychange", refreshIfSeen);

/* An update moves what is below it, and puts back what the server knows: an open menu would jump from under the pointer, and what
   was typed or ticked in it would be gone. So all fragments of the page wait until it is closed, and a sign says so. Where neither
   can happen, because no fragment holds it or comes before it, the details are marked data-quiet. */
const paused = document.createElement("p");
paused.className = "paused";
paused.setAttribute("role", "status");
document.getElementById("main").append(paused);

function isOpen(selector) {
  return document.querySelector(`main ${selector}`) !== null;
}

/* Why nothing is updated now; empty where nothing stands in the way. */
function reasonToWait() {
  if (isOpen("[data-editing]")) return "Updates paused while you edit";
  return isOpen("details[open]:not([data-quiet])") ? "Updates paused while a menu is open" : "";
}

function say(text) {
  if (paused.textContent !== text) paused.textContent = text;
}

/* Whether somebody types in it. A ticked box stays ticked, see kept.js: it need not wait. */
function isTypedIn(fragment) {
  return fragment.querySelector(":is(textarea, select, input:not([type=checkbox])):focus") !== null;
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.triggeringEvent?.type !== "live") return;
  const reason = reasonToWait();
  say(reason);
  if (reason || isTypedIn(event.detail.target)) event.preventDefault();
});
/* What was asked for before it was opened waits too: it comes again with the next question. */
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig.triggeringEvent?.type === "live" && reasonToWait()) event.detail.shouldSwap = false;
});
document.addEventListener("toggle", () => reasonToWait() || say(""), { capture: true });

document.body.addEventListener("htmx:sendError", () => {
  if (LOST) LOST.hidden = false;
});
document.body.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401 || status === 403) location.reload();
  else if (LOST && status >= 500) LOST.hidden = false;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (LOST && event.detail.successful) LOST.hidden = true;
});
