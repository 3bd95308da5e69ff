/* What a section will look like, beside it while it is written. */
import { askForPart, posted } from "./page.js";

const QUIET = 250;

export class Preview {
  constructor(form, area) {
    this.area = area;
    this.button = form.querySelector("[data-preview]");
    this.place = form.querySelector("[data-previewed]");
    this.timer = 0;
    this.button.addEventListener("click", (event) => {
      event.preventDefault();
      this.place.hidden = !this.place.hidden;
      this.button.setAttribute("aria-pressed", String(!this.place.hidden));
      this.refresh();
    });
  }

  refresh() {
    clearTimeout(this.timer);
    if (!this.place.hidden) this.timer = setTimeout(() => this.show(), QUIET);
  }

  async show() {
    const html = await askForPart(this.button.dataset.preview, posted({ text: this.area.value }));
    if (html !== null) this.place.innerHTML = html;
  }
}
