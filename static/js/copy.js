/* Buttons that copy: what data-copy holds, and every block of a guide whole. */
function copy(text, done) {
  navigator.clipboard?.writeText(text).then(done);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button.dataset.copy, () => button.querySelector("[data-copied]")?.removeAttribute("hidden"));
});

for (const block of document.querySelectorAll(".guide pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn--small guide__copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => {
    copy(block.querySelector("code")?.textContent ?? "", () => {
      button.textContent = "Copied";
    });
  });
  block.append(button);
}
