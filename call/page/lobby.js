// Before the call: devices, preview with a guide for the head, consent, the way in.

import { byId, memory, show } from "./dom.js";
import { sentence } from "./words.js";

/**
 * Where a square of the camera's picture lies in a mirrored preview that is filled by it.
 *
 * @param {{left: number, top: number, side: number}} crop in px of the picture
 * @param {[number, number]} size of the picture
 * @param {[number, number]} box of the preview
 * @returns {{left: number, top: number, side: number}} in px of the preview
 */
export function cropInPreview(crop, [width, height], [boxWidth, boxHeight]) {
  const scale = Math.max(boxWidth / width, boxHeight / height);
  const right = (crop.left + crop.side - width / 2) * scale + boxWidth / 2;
  return {
    left: boxWidth - right,
    top: (crop.top - height / 2) * scale + boxHeight / 2,
    side: crop.side * scale,
  };
}

/**
 * The link of a call in what a person pasted, with or without the command around it.
 *
 * @returns {string|null} "" for nothing at all, null where there is something but no link
 */
export function readLink(text) {
  if (text.trim() === "") return "";
  return /wss?:\/\/[^\s/'"]+\/rooms\/[^\s'"]+/.exec(text)?.[0] ?? null;
}

/** The first view. */
export class Lobby {
  #preview = byId("preview");
  #crop = byId("crop");
  #words = byId("face-words");
  #start = byId("start");
  #hint = byId("start-hint");
  #consent = byId("consent");
  #link = byId("their-link");
  #ready = false;
  #waiting = "Waiting for facewire on this machine …";
  #returning = false;

  /** @param {{onStart: (link: string) => void, onChoose: (kind: string, id: string) => void}} handlers */
  constructor({ onStart, onChoose }) {
    this.#consent.checked = memory.get("consent") === "yes";
    show(byId("consent-row"), !this.#consent.checked);
    this.#consent.addEventListener("change", () => this.#update());
    byId("join").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#start.disabled) return;
      memory.set("consent", "yes");
      onStart(readLink(this.#link.value));
    });
    byId("camera-choice").addEventListener("change", ({ target }) => onChoose("camera", target.value));
    byId("microphone-choice").addEventListener("change", ({ target }) => onChoose("microphone", target.value));
    this.#link.addEventListener("input", () => this.#update());
    this.#update();
  }

  /** Whether the engine is there, and what to say while it is not. */
  setReady(ready, words = "") {
    this.#ready = ready;
    this.#waiting = words;
    this.#update();
  }

  /** What the button says and why it cannot be pressed. */
  #update() {
    const consent = this.#consent.checked;
    const link = readLink(this.#link.value);
    this.#start.disabled = !(this.#ready && consent) || link === null;
    if (this.#returning) this.#start.textContent = "Return to the call";
    else this.#start.textContent = link ? "Join the call" : "Start the call";
    if (!this.#ready) this.#hint.textContent = this.#waiting;
    else if (link === null) this.#hint.textContent = "A link looks like ws://192.168.1.5:8765/rooms/NAME.";
    else this.#hint.textContent = consent ? "" : "To begin, agree above that a picture of you is sent.";
  }

  /** There is a call already: a page that was reloaded goes back into it. */
  setReturning() {
    this.#returning = true;
    this.#update();
  }

  /** Show the engine's word on the face. */
  setFace({ found, words }) {
    this.#preview.dataset.face = found ? "found" : "missing";
    this.#words.textContent = sentence(words) || (found ? "You are well in the picture." : "Bring your face into the oval.");
    if (!found) show(this.#crop, false);
  }

  /** Say something about the camera itself, and whether there is one. */
  setCamera(words, there) {
    this.#words.textContent = words;
    show(this.#crop, false);
    this.#preview.dataset.face = there ? "missing" : "none";
  }

  /** Show the crop; `size` of the pictures that were sent, null before one was. */
  setCrop(crop, size) {
    if (size === null || this.#preview.dataset.face !== "found") return; // where a face was says nothing of now
    const { clientWidth, clientHeight } = this.#preview;
    const place = cropInPreview(crop, size, [clientWidth, clientHeight]);
    show(this.#crop, true);
    Object.assign(this.#crop.style, {
      left: `${place.left}px`,
      top: `${place.top}px`,
      width: `${place.side}px`,
      height: `${place.side}px`,
    });
  }

  /** Loudness of the microphone, root mean square. */
  setLevel(level) {
    const decibel = 20 * Math.log10(Math.max(level, 1e-5));
    byId("meter").style.width = `${Math.max(0, Math.min(100, (decibel + 60) * 2))}%`;
  }
}
