/* Pictures and files: chosen, pasted or dropped into a section, stored with the incident, linked in the text. */
import { address, ask, posted } from "./page.js";
import { addBlock } from "./text.js";

export class Files {
  constructor(area, say) {
    this.area = area;
    this.say = say;
    area.addEventListener("paste", (event) => this.take(event, event.clipboardData));
    area.addEventListener("drop", (event) => this.take(event, event.dataTransfer));
  }

  choose() {
    const input = document.createElement("input");
    input.type = "file";
    input.addEventListener("change", () => this.uploadAll(input.files));
    input.click();
  }

  take(event, transfer) {
    if (!transfer?.files.length) return;
    event.preventDefault();
    this.uploadAll(transfer.files);
  }

  uploadAll(files) {
    for (const file of files) this.upload(file);
  }

  async upload(file) {
    this.say(`Uploading ${file.name} …`);
    const { answer, data } = await ask(`${address}files/`, posted({ file }));
    if (answer?.ok && data) addBlock(this.area, data.markdown);
    else this.say(data?.error ?? "The upload failed. Try again", true);
  }
}
