// A new source picture: taken, chosen or last call's, and seen before it is sent.

import { byId, memory, show } from "./dom.js";
import { pictureAddress } from "./own_picture.js";
import { PROBLEMS } from "./words.js";

const LARGEST_SIDE = 1280;
const QUALITY = 0.92;
const PATIENCE_MS = 8000;
const NO_ANSWER = "No good face was seen. Look at the camera, with light on your face, and take it again.";

/** Bytes as base64. */
async function base64(blob) {
  const address = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
  return address.slice(address.indexOf(",") + 1);
}

/** A picture file as a JPEG that is no larger than needed, base64; null for what is no picture. */
async function readFile(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
    canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await base64(await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY }));
  } catch {
    return null;
  }
}

/** The dialog. */
export class SourceDialog {
  #dialog = byId("source");
  #send;
  #onAgree;
  #chosen = null; // what is sent when the person agrees; null: the preview itself
  #preview = null;
  #timer = null;

  /**
   * @param {(message: object) => void} send to the engine
   * @param {(picture: string) => void} onAgree takes the picture, base64, that the person chose
   */
  constructor(send, onAgree) {
    this.#send = send;
    this.#onAgree = onAgree;
    byId("source-still").addEventListener("click", () => this.#ask(null, { type: "take_source" }));
    byId("source-file").addEventListener("click", () => byId("source-input").click());
    byId("source-input").addEventListener("change", ({ target }) => this.#file(target));
    byId("source-last").addEventListener("click", () => this.#tryOn(memory.get("source")));
    byId("source-cancel").addEventListener("click", () => this.#dialog.close());
    byId("source-send").addEventListener("click", () => this.#agree());
    this.#dialog.addEventListener("close", () => clearTimeout(this.#timer));
  }

  /** Open, with nothing chosen. */
  open() {
    this.#set(null);
    this.#say("");
    byId("source-send").textContent = document.body.dataset.view === "lobby" ? "Use this picture" : "Send this picture";
    show(byId("source-last"), memory.get("source") !== null);
    this.#dialog.showModal();
  }

  get isOpen() {
    return this.#dialog.open;
  }

  async #file(input) {
    const [file] = input.files;
    input.value = "";
    if (file === undefined) return;
    const jpeg = await readFile(file);
    if (jpeg === null) this.#say(`${PROBLEMS.picture_file.words} ${PROBLEMS.picture_file.what_to_do}`);
    else this.#tryOn(jpeg);
  }

  #tryOn(jpeg) {
    this.#ask(jpeg, { type: "source", jpeg, apply: false });
  }

  #ask(chosen, message) {
    this.#set(null);
    this.#say("");
    this.#chosen = chosen;
    byId("source-empty").textContent = "One moment …";
    this.#send(message);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refuse(NO_ANSWER), PATIENCE_MS);
  }

  /** Take the engine's preview of what would be sent; returns whether it was asked for here. */
  take({ jpeg }) {
    clearTimeout(this.#timer);
    if (this.isOpen) this.#set(jpeg);
    else memory.set("source", jpeg); // the picture that a call begins with
    return this.isOpen;
  }

  /** Say why a picture cannot be used. */
  refuse(words) {
    clearTimeout(this.#timer);
    this.#set(null);
    this.#say(words);
  }

  #set(preview) {
    this.#preview = preview;
    const image = byId("source-image");
    show(image, preview !== null);
    show(byId("source-empty"), preview === null);
    byId("source-empty").textContent = "Take or choose a picture to see it here.";
    if (preview !== null) image.src = pictureAddress(preview);
    byId("source-send").disabled = preview === null;
  }

  #say(words) {
    byId("source-problem").textContent = words;
    show(byId("source-problem"), words !== "");
  }

  #agree() {
    this.#send({ type: "source", jpeg: this.#chosen ?? this.#preview, apply: true });
    memory.set("source", this.#preview);
    this.#onAgree(this.#preview);
    this.#dialog.close();
  }
}
