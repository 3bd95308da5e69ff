/* Panels that fold: open on a desk, closed on a phone until somebody wants them; an update leaves each as it is. */
const FOLDS = "details[data-fold]";
const isPhone = matchMedia("(max-width: 48rem)").matches;
if (isPhone) for (const fold of document.querySelectorAll(FOLDS)) fold.open = false;

const callbacks = window.Idiomorph?.defaults.callbacks;
if (callbacks) {
  const others = callbacks.beforeAttributeUpdated;
  callbacks.beforeAttributeUpdated = (name, node, act) =>
    others?.(name, node, act) !== false && !(name === "open" && node.matches(FOLDS));
}
