/* Choosing from a list by keyboard: typing chooses the first that is left, arrows go on from there, Enter sends. Of a list of
   boxes, Enter ticks the first that is left. */
import { filter } from "./filter.js";

function left(chooser) {
  return [...chooser.querySelectorAll(".choice:not([hidden]) input")];
}

function choose(input) {
  if (!input) return;
  input.checked = true;
  input.closest(".choice").scrollIntoView({ block: "nearest" });
}

function isOne(inputs) {
  return inputs[0]?.type === "radio";
}

document.addEventListener("input", ({ target }) => {
  const chooser = target.matches(".chooser__find") && target.closest("[data-chooser]");
  if (!chooser) return;
  const inputs = left(chooser);
  if (!target.value) choose([...inputs].find((input) => input.defaultChecked));
  else if (isOne(inputs)) choose(inputs[0]);
});

document.addEventListener("keydown", (event) => {
  const chooser = event.target.matches?.(".chooser__find") && event.target.closest("[data-chooser]");
  if (!chooser) return;
  const inputs = left(chooser);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && isOne(inputs)) {
    const at = inputs.findIndex((input) => input.checked);
    choose(inputs[Math.min(inputs.length - 1, Math.max(0, at + step))]);
  } else if (step) {
    inputs[step > 0 ? 0 : inputs.length - 1]?.focus();
  } else if (event.key === "Enter" && event.target.value && (!inputs.length || !isOne(inputs))) {
    if (inputs.length) inputs[0].checked = !inputs[0].checked;
    event.target.value = "";
    filter(event.target);
  } else {
    return;
  }
  event.preventDefault();
});
