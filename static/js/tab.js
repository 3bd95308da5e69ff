/* The browser's tab carries the worst open severity and how many incidents are open. */
function mark() {
  const facts = document.querySelector("[data-worst]");
  const icon = document.querySelector("link[rel=icon]");
  if (!facts || !icon) return;
  const wanted = icon.getAttribute(`data-favicon-${facts.dataset.worst}`) || icon.dataset.favicon;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  const count = Number(facts.dataset.openCount);
  document.title = document.title.replace(/^(\(\d+\) )?/, count ? `(${count}) ` : "");
}

document.body.addEventListener("htmx:afterSettle", mark);
mark();
