// One's own picture: seen in the lobby before a call begins with it, and in the call before a first one is sent.

import { byId, memory, show } from "./dom.js";

const SEND_AFTER_S = 5;
const SHOW_MS = 6000;

/** The media type of base64 bytes, by how they begin. */
export function pictureType(content) {
  if (content.startsWith("UklGR")) return "image/webp";
  if (content.startsWith("iVBOR")) return "image/png";
  return content.startsWith("AAAA") ? "image/avif" : "image/jpeg";
}

/** The address of a picture for an <img>. */
export function pictureAddress(content) {
  return `data:${pictureType(content)};base64,${content}`;
}

/** Shows it in the lobby and, while the dialog is closed, in the call. */
export class OwnPicture {
  #send;
  #asked = false;
  #agreed = false; // whether the person has seen the picture that the call has
  #started = false;
  #timer = null;

  /**
   * @param {(message: object) => void} send to the engine
   * @param {() => void} choose opens the dialog
   */
  constructor(send, choose) {
    this.#send = send;
    byId("own-other").addEventListener("click", choose);
    byId("fresh-other").addEventListener("click", () => {
      this.#hide();
      choose();
    });
    const keep = byId("keep-fresh");
    keep.checked = memory.get("fresh") === "yes";
    keep.addEventListener("change", () => {
      memory.set("fresh", keep.checked ? "yes" : "no");
      this.greet();
    });
  }

  /** Tell the engine what the person allows. */
  greet() {
    this.#send({ type: "keep_fresh", on: byId("keep-fresh").checked });
  }

  /** A face is there before the call: have its picture taken, once. */
  faceSeen() {
    if (this.#asked) return;
    this.#asked = true;
    this.#send({ type: "take_source" });
  }

  /** The call begins, with the picture that was seen, or with none yet. */
  start() {
    this.#asked = true;
    this.#started = true;
  }

  /** The person has seen this picture and chosen it. */
  agreed(picture) {
    this.#hide();
    this.#agreed = true;
    this.#showInLobby(picture);
  }

  /** Take a picture that was made while no dialog asked for one. */
  take({ jpeg }) {
    if (!this.#started) {
      this.#agreed = true;
      return this.#showInLobby(jpeg);
    }
    byId("fresh-image").src = pictureAddress(jpeg);
    show(byId("fresh"), true);
    show(byId("fresh-send"), !this.#agreed);
    if (this.#agreed) {
      byId("fresh-words").textContent = "A fresh picture of you was taken, and is being sent.";
      this.#timer = setTimeout(() => this.#hide(), SHOW_MS);
    } else this.#countDown(jpeg, SEND_AFTER_S);
  }

  /** The call is over: nothing is sent any more. */
  end() {
    this.#hide();
  }

  #showInLobby(picture) {
    byId("own-image").src = pictureAddress(picture);
    show(byId("own"), true);
  }

  #countDown(picture, seconds) {
    const send = () => {
      this.agreed(picture);
      this.#send({ type: "source", jpeg: picture, apply: true });
    };
    byId("fresh-send").onclick = send;
    if (seconds === 0) return send();
    byId("fresh-words").textContent = `This picture of you is sent to the other person in ${seconds} s.`;
    this.#timer = setTimeout(() => this.#countDown(picture, seconds - 1), 1000);
  }

  #hide() {
    clearTimeout(this.#timer);
    show(byId("fresh"), false);
  }
}
