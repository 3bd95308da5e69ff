/* A long list of choices in groups: words typed above it leave those that hold them; Enter takes the first and goes on. */
function namesOf(group) {
  return [...group.querySelectorAll("label")];
}

function holds(text, words) {
  const plain = text.toLowerCase();
  return words.every((word) => plain.includes(word));
}

class Choices {
  constructor(root) {
    this.root = root;
    this.box = root.querySelector("[data-choices-find]");
    this.count = root.querySelector("[data-choices-count]");
    this.groups = [...root.querySelectorAll("[data-choices-group]")];
    this.box.hidden = false;
    this.box.addEventListener("input", () => this.narrow());
    root.addEventListener("keydown", (event) => this.keyed(event));
  }

  get shown() {
    return [...this.root.querySelectorAll("label:not([hidden]) input:enabled")];
  }

  narrow() {
    const words = this.box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const group of this.groups) {
      const isMeant = words.length > 0 && holds(group.dataset.choicesGroup, words);
      const matching = namesOf(group).filter((label) => isMeant || holds(label.textContent, words));
      for (const label of namesOf(group)) label.hidden = !matching.includes(label);
      group.hidden = matching.length === 0;
      left += matching.length;
    }
    const sum = left === 1 ? "1 matches" : `${left} match`;
    this.count.textContent = words.length ? (left ? sum : "None matches. Try another word.") : "";
  }

  keyed(event) {
    const isTyping = event.target === this.box;
    if (event.key === "ArrowDown" && isTyping) this.shown[0]?.focus();
    else if (event.key === "Enter") this.take(isTyping ? this.shown[0] : event.target);
    else return;
    event.preventDefault();
  }

  take(radio) {
    if (!radio) return;
    radio.checked = true;
    radio.scrollIntoView({ block: "nearest" });
    this.root.closest("form").querySelector("textarea").focus();
  }
}

for (const root of document.querySelectorAll("[data-choices]")) new Choices(root);
