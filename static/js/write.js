/* Writing together. Each section saves itself over the text it was read as; the server puts both together or says who must choose.
   What is not saved yet is in this browser, with what it was written over, so that it can be put together later. No dependencies. */
"use strict";
(() => {
  const root = document.querySelector("[data-postmortem]");
  if (!root) return;
  const address = root.dataset.postmortem;
  const editors = new Map();
  let token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
  let focused = "";
  const QUIET = 1200, RETRY = 4000, ASK = 3000;
  const clean = (text) => text.replace(/\r\n?/g, "\n").replace(/\s+$/, "");

  const banner = document.createElement("div");
  banner.className = "banner";
  banner.setAttribute("role", "alert");
  banner.hidden = true;
  document.getElementById("main").prepend(banner);
  const warn = (text, link) => {
    banner.replaceChildren(text);
    if (link) { const anchor = document.createElement("a"); anchor.href = link[1]; anchor.target = "_blank"; anchor.className = "link"; anchor.textContent = link[0]; banner.append(" ", anchor); }
    banner.hidden = !text;
  };
  const signedOut = () => warn("You are signed out. What you typed is kept in this browser.", ["Sign in in a new tab, then come back here", `/accounts/login/?next=${encodeURIComponent(address)}`]);

  /* One section. `base` is the text that what is typed was written over. */
  class Editor {
    constructor(form) {
      this.form = form;
      this.key = form.dataset.editor;
      this.area = form.querySelector("textarea");
      this.state = form.querySelector("[data-state]");
      this.clash = root.querySelector(`[data-clash="${this.key}"]`);
      this.version = Number(form.dataset.version);
      this.base = clean(form.querySelector("[name=base]").value);
      this.kept = `write:${address}${this.key}`;
      this.sending = false;
      this.timer = 0;
      this.stuck = Boolean(this.clash.children.length);
      this.restore();
      this.area.addEventListener("input", () => this.changed());
      this.area.addEventListener("focus", () => { focused = this.key; last = this; });
      this.area.addEventListener("blur", () => { if (focused === this.key) focused = ""; if (this.dirty) this.save(); });
      this.area.addEventListener("keydown", (event) => this.keyed(event));
      this.area.addEventListener("paste", (event) => this.pasted(event));
      this.area.addEventListener("drop", (event) => this.pasted(event));
      form.addEventListener("submit", (event) => { if (event.submitter?.dataset.preview) return; event.preventDefault(); this.save(); });
      this.toolbar();
      this.previews();
    }
    get dirty() { return clean(this.area.value) !== this.base; }
    say(text, loud = false) { this.state.textContent = text; this.state.classList.toggle("unsaved", loud); }
    restore() {
      const raw = localStorage.getItem(this.kept);
      if (!raw) return;
      let kept = null;
      try { kept = JSON.parse(raw); } catch { localStorage.removeItem(this.kept); return; }
      if (clean(kept.text) === this.base) { localStorage.removeItem(this.kept); return; }
      this.area.value = kept.text;
      this.base = kept.base;
      this.say("Brought back what was not saved", true);
      this.schedule(50);
    }
    keep() {
      try { localStorage.setItem(this.kept, JSON.stringify({ base: this.base, text: this.area.value, at: Date.now() })); }
      catch { this.say("This browser keeps nothing; stay on the page until it is saved", true); }
    }
    changed() {
      if (!this.dirty) { localStorage.removeItem(this.kept); this.say(""); return; }
      this.keep();
      this.say(this.stuck ? "Settle the two versions above" : "Not saved yet", true);
      if (this.previewing) this.preview();
      this.schedule(QUIET);
    }
    schedule(wait) { clearTimeout(this.timer); this.timer = setTimeout(() => this.save(), wait); }
    async save() {
      clearTimeout(this.timer);
      if (this.stuck || !this.dirty) return;
      if (this.sending) { this.schedule(QUIET); return; }
      this.sending = true;
      const sent = this.area.value;
      this.say("Saving …", true);
      const body = new FormData();
      body.set("text", sent);
      body.set("base", this.base);
      body.set("csrfmiddlewaretoken", token);
      let answer = null, told = null;
      try {
        answer = await fetch(this.form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" });
        if ((answer.headers.get("Content-Type") ?? "").includes("json")) told = await answer.json();
      } catch { answer = null; }
      this.sending = false;
      if (!answer || answer.status >= 500) { warn("Not connected. What you type is kept in this browser and saved when the connection is back."); this.say("Kept in this browser", true); this.schedule(RETRY); return; }
      if (answer.ok && told) this.saved(sent, told);
      else if (answer.status === 409 && told?.clash) this.clashed(told);
      else if (answer.type === "opaqueredirect") { signedOut(); this.say("Kept in this browser", true); this.schedule(RETRY); }
      else if (answer.status === 403 && !told) { this.say("Kept in this browser", true); await ask(); this.schedule(RETRY); }
      else { this.say(told?.error ?? `Not saved (${answer.status}); it is kept in this browser`, true); if (answer.status === 409) warn(`${told?.error ?? ""} What you typed is kept in this browser and as your draft.`); }
    }
    saved(sent, told) {
      warn("");
      this.version = told.version;
      if (this.area.value === sent) {
        if (told.text !== clean(sent)) this.show(told.text);
        this.base = told.text;
        localStorage.removeItem(this.kept);
        this.say(told.merged ? "Saved, together with what others wrote" : "Saved");
      } else {
        /* Typed on meanwhile: what was sent is what the rest was written over. */
        this.base = clean(sent);
        this.keep();
        this.schedule(QUIET);
      }
      this.form.querySelector("[data-findings]").innerHTML = told.findings;
      mark(this.key, told.done);
      if (this.previewing) this.preview();
    }
    clashed(told) {
      this.stuck = true;
      this.keep();
      this.clash.innerHTML = told.clash;
      this.say("Settle the two versions above", true);
      this.settles();
      this.clash.querySelector("textarea").focus();
    }
    settles() {
      const form = this.clash.querySelector("form");
      if (!form) return;
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const drops = event.submitter?.hasAttribute("formaction");
        const base = clean(form.querySelector("[name=base]").value);
        const text = drops ? base : form.querySelector("textarea").value;
        if (drops) await fetch(event.submitter.formAction, { method: "POST", body: new URLSearchParams({ csrfmiddlewaretoken: token }), redirect: "manual" });
        this.stuck = false;
        this.clash.replaceChildren();
        this.base = base;
        this.area.value = text;
        if (this.dirty) { this.keep(); this.save(); } else { localStorage.removeItem(this.kept); this.say("Theirs is kept"); }
        this.area.focus();
      });
    }
    /* Somebody else saved. Untouched text follows; what is being typed is put together at the next save. */
    others(told) {
      if (told.version <= this.version || this.sending) return;
      if (this.stuck) return;
      if (this.dirty) { this.schedule(50); return; }
      this.version = told.version;
      this.show(told.text);
      this.base = told.text;
      this.say(`${told.by} wrote here just now`);
      mark(this.key, told.done);
      if (this.previewing) this.preview();
    }
    /* Put a text in with the caret where it was, among the same words. */
    show(text) {
      const was = this.area.value, here = document.activeElement === this.area;
      let start = this.area.selectionStart, end = this.area.selectionEnd;
      let head = 0;
      while (head < was.length && was[head] === text[head]) head += 1;
      let tail = 0;
      while (tail < was.length - head && tail < text.length - head && was[was.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
      const moved = (place) => (place <= head ? place : Math.max(head, Math.min(text.length, place + text.length - was.length)));
      start = moved(start); end = moved(end);
      const scrolled = this.area.scrollTop;
      this.area.value = text;
      if (here) this.area.setSelectionRange(start, end);
      this.area.scrollTop = scrolled;
    }
    insert(before, after = "", otherwise = "") {
      const { selectionStart: start, selectionEnd: end, value } = this.area;
      const chosen = value.slice(start, end) || otherwise;
      this.area.focus();
      this.area.setRangeText(before + chosen + after, start, end, "end");
      if (chosen) this.area.setSelectionRange(start + before.length, start + before.length + chosen.length);
      this.changed();
    }
    line(mark) {
      const { value } = this.area;
      const start = value.lastIndexOf("\n", this.area.selectionStart - 1) + 1;
      let end = value.indexOf("\n", this.area.selectionEnd);
      if (end < 0) end = value.length;
      const lines = value.slice(start, end).split("\n").map((line) => mark + line).join("\n");
      this.area.focus();
      this.area.setRangeText(lines, start, end, "end");
      this.changed();
    }
    block(text) {
      const { value, selectionEnd } = this.area;
      const gap = !value || value.slice(0, selectionEnd).endsWith("\n\n") ? "" : value.slice(0, selectionEnd).endsWith("\n") ? "\n" : "\n\n";
      this.area.focus();
      this.area.setRangeText(gap + text + "\n", selectionEnd, selectionEnd, "end");
      this.changed();
    }
    toolbar() {
      const bar = this.form.querySelector("[data-bar]");
      const acts = [
        ["bold", "Bold", () => this.insert("**", "**", "bold")], ["italic", "Italic", () => this.insert("_", "_", "italic")],
        ["link", "Link", () => this.insert("[", "](https://)", "words")], ["list", "List", () => this.line("- ")],
        ["list-checks", "Task list", () => this.line("- [ ] ")], ["quote", "Quote", () => this.line("> ")],
        ["code", "Code", () => this.insert("`", "`", "code")], ["table", "Table", () => this.block("| What | When |\n| --- | --- |\n|  |  |")],
        ["image", "Picture or file", () => this.choose()], ["message-square", "Comment on the marked words", () => this.comment()],
      ];
      for (const [icon, label, act] of acts) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn--quiet btn--small";
        button.title = label;
        button.setAttribute("aria-label", `${label}, ${this.key}`);
        button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${sprite}#${icon}"></use></svg>`;
        button.addEventListener("mousedown", (event) => event.preventDefault());
        button.addEventListener("click", act);
        bar.append(button);
      }
    }
    previews() {
      const button = this.form.querySelector("[data-preview]");
      const shown = this.form.querySelector("[data-previewed]");
      button.addEventListener("click", (event) => {
        event.preventDefault();
        this.previewing = !this.previewing;
        button.setAttribute("aria-pressed", String(this.previewing));
        shown.hidden = !this.previewing;
        if (this.previewing) this.preview();
      });
      let timer = 0;
      this.preview = () => {
        clearTimeout(timer);
        timer = setTimeout(async () => {
          const answer = await fetch(button.dataset.preview, { method: "POST", body: new URLSearchParams({ text: this.area.value, csrfmiddlewaretoken: token }) }).catch(() => null);
          if (answer?.ok) shown.innerHTML = await answer.text();
        }, 250);
      };
    }
    choose() {
      const input = document.createElement("input");
      input.type = "file";
      input.addEventListener("change", () => { for (const file of input.files) this.upload(file); });
      input.click();
    }
    pasted(event) {
      const files = [...(event.clipboardData ?? event.dataTransfer)?.files ?? []];
      if (!files.length) return;
      event.preventDefault();
      for (const file of files) this.upload(file);
    }
    async upload(file) {
      this.say(`Keeping ${file.name} …`);
      const body = new FormData();
      body.set("file", file, file.name || "picture.png");
      body.set("csrfmiddlewaretoken", token);
      const answer = await fetch(`${address}files/`, { method: "POST", body }).catch(() => null);
      const told = answer && (answer.headers.get("Content-Type") ?? "").includes("json") ? await answer.json() : null;
      if (answer?.ok && told) this.block(told.markdown);
      else this.say(told?.error ?? "The file was not kept; try again", true);
    }
    comment() {
      const chosen = this.area.value.slice(this.area.selectionStart, this.area.selectionEnd);
      const summary = root.querySelector(`[data-remarks="${this.key}"] [data-comment]`);
      if (!summary) return;
      summary.parentElement.open = true;
      const quote = summary.parentElement.querySelector("[data-quote]");
      quote.value = chosen;
      summary.parentElement.querySelector("textarea[name=text]").focus();
    }
    keyed(event) {
      if (people.keyed(event)) return;
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
        const act = { b: () => this.insert("**", "**", "bold"), i: () => this.insert("_", "_", "italic"), s: () => this.save() }[event.key.toLowerCase()];
        if (act) { event.preventDefault(); act(); }
      }
    }
  }

  const sprite = document.querySelector("svg use")?.getAttribute("href").split("#")[0] ?? "/static/icons.svg";
  let last = null;
  const mark = (key, done) => {
    const dot = root.querySelector(`[data-outline="${key}"] .dot`);
    if (dot && done) dot.className = "dot dot--done";
  };

  /* Names after an @. */
  const people = (() => {
    const list = document.createElement("div");
    list.className = "people-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "People");
    list.hidden = true;
    document.body.append(list);
    let at = 0, area = null, from = 0, asked = 0;
    const hide = () => { list.hidden = true; list.replaceChildren(); };
    const take = (button) => {
      area.setRangeText(`@${button.dataset.handle} `, from, area.selectionStart, "end");
      hide();
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.focus();
    };
    const choose = (next) => {
      const items = [...list.children];
      at = (next + items.length) % items.length;
      items.forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
    };
    document.addEventListener("input", async (event) => {
      if (!event.target.closest?.("[data-editor]") || event.target.tagName !== "TEXTAREA") return;
      area = event.target;
      const typed = /(?:^|[\s(])@([\w.+-]{1,30})$/.exec(area.value.slice(0, area.selectionStart));
      if (!typed) { hide(); return; }
      from = area.selectionStart - typed[1].length - 1;
      const turn = ++asked;
      const answer = await fetch(`/postmortems/people/?q=${encodeURIComponent(typed[1])}`).catch(() => null);
      if (turn !== asked || !answer?.ok || !(answer.headers.get("Content-Type") ?? "").includes("json")) return;
      const found = (await answer.json()).people;
      list.replaceChildren(...found.map((person) => {
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("role", "option");
        button.dataset.handle = person.handle;
        button.textContent = `${person.name} @${person.handle}`;
        button.addEventListener("mousedown", (press) => { press.preventDefault(); take(button); });
        return button;
      }));
      if (!found.length) { hide(); return; }
      const box = area.getBoundingClientRect();
      list.style.insetInlineStart = `${box.left + scrollX + 12}px`;
      list.style.insetBlockStart = `${box.bottom + scrollY + 4}px`;
      list.hidden = false;
      choose(0);
    });
    document.addEventListener("focusout", hide);
    return {
      keyed(event) {
        if (list.hidden) return false;
        if (event.key === "ArrowDown") choose(at + 1);
        else if (event.key === "ArrowUp") choose(at - 1);
        else if (event.key === "Enter" || event.key === "Tab") take(list.children[at]);
        else if (event.key === "Escape") hide();
        else return false;
        event.preventDefault();
        return true;
      },
    };
  })();

  for (const form of root.querySelectorAll("[data-editor]")) { const editor = new Editor(form); editors.set(editor.key, editor); if (editor.stuck) editor.settles(); }
  last = editors.values().next().value ?? null;

  /* The evidence drawer. */
  const drawer = document.getElementById("drawer");
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-drawer]");
    if (opener && drawer) { event.preventDefault(); drawer.hidden = !drawer.hidden; if (!drawer.hidden) window.htmx?.trigger("#drawer-content", "opened"); }
    if (event.target.closest("[data-drawer-close]") && drawer) drawer.hidden = true;
    const inserts = event.target.closest("[data-insert]");
    if (inserts && last) last.block(inserts.dataset.insert);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drawer && !drawer.hidden) drawer.hidden = true; });

  /* Words marked in a text that is only read can be commented on too. */
  document.addEventListener("mouseup", () => {
    const chosen = String(getSelection() ?? "").trim();
    const words = chosen && getSelection().anchorNode?.parentElement?.closest("[data-words]");
    if (!words) return;
    const quote = root.querySelector(`[data-remarks="${words.dataset.words}"] [data-quote]`);
    if (quote && !quote.value) quote.value = chosen.slice(0, 2000);
  });

  /* What others do. */
  let remarks = null, asking = false;
  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const have = [...editors.values()].map((editor) => `${editor.key}:${editor.version}`).join(",");
      const answer = await fetch(`${address}live/?at=${encodeURIComponent(focused)}&have=${encodeURIComponent(have)}`, { headers: { Accept: "application/json" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") { if ([...editors.values()].some((editor) => editor.dirty)) signedOut(); return; }
      if (!answer.ok) return;
      const told = await answer.json();
      token = told.csrf;
      for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
      for (const section of told.sections) editors.get(section.key)?.others(section);
      for (const place of root.querySelectorAll("[data-here]")) {
        const names = told.people.filter((person) => person.key === place.dataset.here).map((person) => person.name);
        const text = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} writing here` : "";
        if (place.textContent !== text) place.textContent = text;
      }
      if (remarks !== null && remarks !== told.comments) {
        for (const place of root.querySelectorAll("[data-remarks]")) {
          if (place.contains(document.activeElement) && /^(TEXTAREA|INPUT)$/.test(document.activeElement.tagName)) continue;
          const fresh = await fetch(`${address}sections/${place.dataset.remarks}/comments/`).catch(() => null);
          if (fresh?.ok) place.innerHTML = await fresh.text();
        }
      }
      remarks = told.comments;
      if (told.state !== root.dataset.postmortemState) warn("It was moved on meanwhile.", ["Look at it as it is now", address]);
    } catch { /* the next turn tries again; a save that fails says so */ }
    finally { asking = false; }
  }
  setInterval(() => { if (!document.hidden) ask(); }, ASK);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  addEventListener("online", () => { for (const editor of editors.values()) editor.save(); });
  addEventListener("beforeunload", () => { for (const editor of editors.values()) if (editor.dirty) { editor.keep(); } });
  ask();
})();
