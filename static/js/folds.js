/* Panels that fold: open on a desk, closed on a phone until somebody wants them. */
const isPhone = matchMedia("(max-width: 48rem)").matches;
if (isPhone) for (const fold of document.querySelectorAll("details[data-fold]")) fold.open = false;
