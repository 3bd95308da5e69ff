/* The values of a sample, each with its JMESPath: one that is chosen puts its path into the field that was focused last. */
const MOST = 200;

const box = document.querySelector("[data-paths]");

function step(key) {
  return /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key);
}

function shown(value) {
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (value && typeof value === "object") return "object";
  const text = String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/* Of a list only its first item: the others look like it. */
function* walk(value, path) {
  if (path) yield [path, value];
  if (Array.isArray(value)) {
    if (value.length) yield* walk(value[0], `${path}[0]`);
  } else if (value && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) yield* walk(inner, path ? `${path}.${step(key)}` : step(key));
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

if (box) {
  const sample = document.getElementById(box.dataset.paths);
  const list = box.querySelector("ul");
  const items = document.querySelector("input[data-expression][name=items]");
  let target = document.querySelector("input[data-expression][name=title]");

  /* Where one delivery holds several alerts, all but their list is found from one of them. */
  const relative = (path) => {
    const several = items.value.trim();
    if (!several || target === items) return path;
    const first = several === "@" ? "[0]" : `${several}[0]`;
    if (path === first) return "@";
    return path.startsWith(`${first}.`) ? path.slice(first.length + 1) : path;
  };

  const build = () => {
    const rows = [];
    const value = read(sample.value);
    if (Array.isArray(value)) rows.push(["@", value]);
    for (const row of walk(value, "")) {
      if (rows.length === MOST) break;
      rows.push(row);
    }
    list.replaceChildren(
      ...rows.map(([path, found], n) => {
        const [row, button, name, word] = ["li", "button", "code", "span"].map((tag) => document.createElement(tag));
        button.type = "button";
        button.dataset.path = path;
        button.tabIndex = n ? -1 : 0;
        name.textContent = path;
        word.textContent = shown(found);
        button.append(name, word);
        row.append(button);
        return row;
      }),
    );
    box.hidden = !rows.length;
  };

  const aim = (input) => {
    target = input;
    box.querySelector("[data-paths-target]").textContent = target.dataset.expression;
  };

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("input[data-expression]")) aim(event.target);
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    target.value = relative(button.dataset.path);
    target.dispatchEvent(new Event("input", { bubbles: true }));
    box.querySelector("[role=status]").textContent = `${target.dataset.expression}: ${target.value}`;
  });

  /* One stop for the Tab key, and arrows within. */
  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || !buttons[to]) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });

  sample.addEventListener("input", build);
  build();
}
