/* What people set stays when a page is updated: the rows that they chose, and the panels that they folded. */
function isTheirs(name, node) {
  if (name === "checked") return node.closest("[data-row]") !== null;
  return name === "open" && node.matches("details[data-fold]");
}

const callbacks = window.Idiomorph?.defaults.callbacks;
if (callbacks) callbacks.beforeAttributeUpdated = (name, node) => !isTheirs(name, node);
