/* Menus and other details: opened by a link, a key or the address, closed by Escape or a click elsewhere. */
const OPEN_MENUS = "details.menu[open]";

/* Open, and ready to type in. */
export function openUp(details) {
  details.open = true;
  details.querySelector("textarea, input:not([type=hidden]), select")?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-open]");
  const details = link && document.getElementById(link.dataset.open);
  if (details) {
    event.preventDefault();
    openUp(details);
    details.scrollIntoView({ block: "center" });
  }
  if (event.target.closest("dialog")) return; // the palette has just opened one
  for (const menu of document.querySelectorAll(OPEN_MENUS)) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll(OPEN_MENUS)) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

function openAddressed() {
  const details = location.hash && document.getElementById(location.hash.slice(1));
  if (details?.tagName === "DETAILS") openUp(details);
}

addEventListener("hashchange", openAddressed);
openAddressed();
