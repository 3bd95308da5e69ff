/* What somebody typed into one section and that is not saved yet, kept in this browser with the text it was written over. */
import { address } from "./page.js";

export class Draft {
  constructor(key) {
    this.name = `write:${address}${key}`;
  }

  /* { base, text }, or null. */
  read() {
    try {
      return JSON.parse(localStorage.getItem(this.name));
    } catch {
      this.drop();
      return null;
    }
  }

  /* False where the browser keeps nothing: its store is full or switched off. */
  keep(base, text) {
    try {
      localStorage.setItem(this.name, JSON.stringify({ base, text, at: Date.now() }));
      return true;
    } catch {
      return false;
    }
  }

  drop() {
    localStorage.removeItem(this.name);
  }
}
