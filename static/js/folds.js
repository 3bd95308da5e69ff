/* Panels that fold: open on a desk, closed on a phone until somebody wants them. What an address names is open, and so is all of
   it on paper. */
const folds = () => [...document.querySelectorAll("details[data-fold]")];

if (matchMedia("(max-width: 48rem)").matches) for (const fold of folds()) fold.open = false;

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = named?.closest("details[data-fold]");
  if (!fold || fold.open) return;
  fold.open = true;
  named.scrollIntoView();
}
openNamed();
addEventListener("hashchange", openNamed);

let printed = [];
addEventListener("beforeprint", () => {
  printed = folds().filter((fold) => !fold.open);
  for (const fold of printed) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of printed) fold.open = false;
  printed = [];
});
