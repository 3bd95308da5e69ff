/* New entries of a story that somebody reads further down wait behind a pill; the head and the facts follow at once. */
import { refresh } from "./live.js";

const ALONGSIDE = ["head", "facts", "actions"];
const pill = document.createElement("button");
pill.type = "button";
pill.className = "pill";
pill.hidden = true;
pill.setAttribute("aria-live", "polite");
document.body.append(pill);

function isReadFurtherDown() {
  return document.querySelector(".timeline")?.getBoundingClientRect().top <= 0;
}

function letIn() {
  pill.hidden = true;
  refresh();
}

pill.addEventListener("click", () => {
  document.getElementById("timeline-title")?.scrollIntoView();
  letIn();
});
addEventListener("scroll", () => pill.hidden || isReadFurtherDown() || letIn(), { passive: true });

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const story = event.detail.target;
  if (!story || !("liveStory" in story.dataset) || event.detail.xhr.status !== 200 || !event.detail.shouldSwap) return;
  if (!isReadFurtherDown()) {
    pill.hidden = true;
    return;
  }
  const arrived = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const entries = [...arrived.querySelectorAll("[data-entry]")];
  const fresh = entries.filter((entry) => !document.getElementById(entry.id)).length;
  if (!fresh) return;
  event.detail.shouldSwap = false;
  pill.textContent = `${fresh} new`;
  pill.hidden = false;
  for (const id of ALONGSIDE) {
    const old = document.getElementById(id);
    const next = arrived.getElementById(id);
    if (!old || !next) continue;
    next.removeAttribute("hx-swap-oob");
    window.Idiomorph.morph(old, next);
    window.htmx.process(old);
  }
});
