/* One section: saved over the text it was read as, kept in this browser until then, put together with what others write. */
import { Draft } from "./draft.js";
import { Files } from "./files.js";
import { Fold } from "./fold.js";
import { lookNow } from "./others.js";
import { ask, clean, markDone, posted, root, session, warn, warnSignedOut } from "./page.js";
import { chooseByKey } from "./people.js";
import { Preview } from "./preview.js";
import { replace, wrap } from "./text.js";
import { addToolbar } from "./toolbar.js";

const QUIET = 1200; // ms after the last key until a save
const SOON = 50;
const RETRY = 4000;
const KEPT = "Kept in this browser";
const SETTLE = "Choose between the two versions above";

export class Editor {
  constructor(form) {
    this.form = form;
    this.key = form.dataset.editor;
    this.area = form.querySelector("textarea");
    this.state = form.querySelector("[data-state]");
    this.findings = root.querySelector(`[data-findings="${this.key}"]`);
    this.fold = new Fold(form, this.area);
    this.isEnding = false; // folds once it is saved
    this.clash = root.querySelector(`[data-clash="${this.key}"]`);
    this.version = Number(form.dataset.version);
    this.base = clean(form.querySelector("[name=base]").value); // the text that what is typed was written over
    this.draft = new Draft(this.key);
    this.isSending = false;
    this.timer = 0;
    this.isStuck = this.clash.children.length > 0; // two versions of the same lines wait for a choice
    this.restore();
    this.preview = new Preview(form, this.area);
    this.files = new Files(this.area, (text, isLoud) => this.say(text, isLoud));
    addToolbar(form.querySelector("[data-bar]"), this);
    this.listen();
    if (this.isStuck) this.offerChoice();
    /* What was typed before this script came raised no event that anybody heard. */
    if (this.isDirty && !this.draft.read()) this.changed();
  }

  listen() {
    this.area.addEventListener("input", () => this.changed());
    this.area.addEventListener("focus", () => {
      session.focused = this.key;
      session.last = this;
    });
    this.area.addEventListener("blur", () => {
      if (session.focused === this.key) session.focused = "";
      this.save();
    });
    this.area.addEventListener("keydown", (event) => this.keyed(event));
    this.form.addEventListener("submit", (event) => {
      if (event.submitter?.dataset.preview) return;
      event.preventDefault();
      this.end();
    });
  }

  keyed(event) {
    if (chooseByKey(event)) return;
    if (event.key === "Escape" && document.getElementById("drawer").hidden) this.end();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const key = event.key.toLowerCase();
    if (key === "b") wrap(this.area, "**", "**", "bold");
    else if (key === "i") wrap(this.area, "_", "_", "italic");
    else if (key === "s") this.save();
    else return;
    event.preventDefault();
  }

  get isDirty() {
    return clean(this.area.value) !== this.base;
  }

  say(text, isLoud = false) {
    this.state.textContent = text;
    this.state.classList.toggle("unsaved", isLoud);
  }

  restore() {
    const draft = this.draft.read();
    if (!draft) return;
    if (clean(draft.text) === this.base) {
      this.draft.drop();
      return;
    }
    this.fold.open();
    this.area.value = draft.text;
    this.base = draft.base;
    this.say("Restored what was not saved", true);
    this.schedule(SOON);
  }

  keep() {
    if (this.draft.keep(this.base, this.area.value)) return;
    this.say("This browser cannot keep a copy. Stay on the page until it is saved", true);
  }

  changed() {
    this.isEnding = false;
    if (!this.isDirty) {
      this.draft.drop();
      this.say("");
      return;
    }
    this.say(this.isStuck ? SETTLE : "Not saved yet", true);
    this.keep();
    this.preview.refresh();
    this.schedule(QUIET);
  }

  /* Stop writing here: fold as soon as everything is saved, and stay open while something is not. */
  end() {
    this.isEnding = true;
    if (this.isDirty || this.isStuck) this.save();
    else this.fold.close();
  }

  schedule(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), wait);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.isStuck || !this.isDirty) return;
    if (this.isSending) {
      this.schedule(QUIET);
      return;
    }
    this.isSending = true;
    const sent = this.area.value;
    this.say("Saving …", true);
    const { answer, data } = await ask(this.form.action, posted({ text: sent, base: this.base }));
    this.isSending = false;
    if (answer?.ok && data) this.saved(sent, data);
    else if (answer?.status === 409 && data?.clash) this.clashed(data);
    else await this.refused(answer, data);
  }

  saved(sent, data) {
    warn("");
    this.version = data.version;
    if (this.area.value === sent) {
      if (data.text !== clean(sent)) replace(this.area, data.text);
      this.base = data.text;
      this.draft.drop();
      this.say(data.merged ? "Saved, merged with what others wrote" : "Saved");
      if (this.isEnding) this.fold.close();
      else if (!this.fold.isOpen) this.fold.show();
    } else {
      /* Typed on meanwhile: what was sent is what the rest was written over. */
      this.base = clean(sent);
      this.keep();
      this.schedule(QUIET);
    }
    this.findings.innerHTML = data.findings;
    markDone(this.key, data.done);
    this.preview.refresh();
  }

  async refused(answer, data) {
    const isAway = !answer || answer.status >= 500;
    const isSignedOut = answer?.type === "opaqueredirect";
    const isForged = answer?.status === 403 && !data; // the token is old: ask for a new one, then try again
    if (isAway || isSignedOut || isForged) {
      this.say(KEPT, true);
      if (isAway) warn("Not connected. What you type is kept in this browser and saved when the connection is back.");
      else if (isSignedOut) warnSignedOut();
      else await lookNow();
      this.schedule(RETRY);
      return;
    }
    this.say(data?.error ?? `Not saved (${answer.status}). It is kept in this browser`, true);
    if (answer.status === 409) warn(`${data?.error ?? ""} What you typed is kept in this browser and as your draft.`);
  }

  clashed(data) {
    this.isStuck = true;
    this.isEnding = false;
    this.keep();
    this.clash.innerHTML = data.clash;
    this.say(SETTLE, true);
    this.offerChoice();
    this.clash.querySelector("textarea").focus();
  }

  /* The form of a clash is sent from here: with the text of it, or, by its second button, with the version of the others. */
  offerChoice() {
    const form = this.clash.querySelector("form");
    form?.addEventListener("submit", async (event) => {
      event.preventDefault();
      const theirs = clean(form.querySelector("[name=base]").value);
      const isGivenUp = event.submitter?.hasAttribute("formaction");
      const text = isGivenUp ? theirs : form.querySelector("textarea").value;
      if (isGivenUp) await ask(event.submitter.formAction, posted({}));
      this.isStuck = false;
      this.clash.replaceChildren();
      this.base = theirs;
      this.fold.open();
      this.area.value = text;
      if (this.isDirty) {
        this.keep();
        this.save();
      } else {
        this.draft.drop();
        this.say("Their version is kept");
      }
      this.area.focus();
    });
  }

  /* Somebody else saved. Untouched text follows; what is being typed is put together at the next save. */
  follow(section) {
    if (section.version <= this.version || this.isSending || this.isStuck) return;
    if (this.isDirty) {
      this.schedule(SOON);
      return;
    }
    this.version = section.version;
    replace(this.area, section.text);
    this.base = section.text;
    if (!this.fold.isOpen) this.fold.show();
    this.say(`${section.by} wrote here just now`);
    markDone(this.key, section.done);
    this.preview.refresh();
  }
}
