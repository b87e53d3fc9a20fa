// Before the call: devices, preview with a guide for the head, consent, the way in.

import { byId, copy, memory, show } from "./dom.js";

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

/** The first view. */
export class Lobby {
  #preview = byId("preview");
  #crop = byId("crop");
  #words = byId("face-words");
  #start = byId("start");
  #hint = byId("start-hint");
  #consent = byId("consent");
  #ready = false;

  /** @param {{onStart: () => void, onChoose: (kind: string, id: string) => void}} handlers */
  constructor({ onStart, onChoose }) {
    this.#consent.checked = memory.get("consent") === "yes";
    show(byId("consent-row"), !this.#consent.checked);
    this.#consent.addEventListener("change", () => this.#update());
    byId("join").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#start.disabled) return;
      memory.set("consent", "yes");
      onStart();
    });
    byId("camera-choice").addEventListener("change", ({ target }) => onChoose("camera", target.value));
    byId("microphone-choice").addEventListener("change", ({ target }) => onChoose("microphone", target.value));
    this.#offerCommand();
    this.#update();
  }

  #offerCommand() {
    const row = byId("join-command");
    const code = row.querySelector("code");
    byId("their-link").addEventListener("input", ({ target }) => {
      // Quoted for a shell: a link is pasted from anywhere.
      const link = target.value.trim().replaceAll("'", "");
      show(row, link !== "");
      code.textContent = `facewire call '${link}'`;
    });
    row.querySelector("button").addEventListener("click", ({ target }) => copy(code.textContent, target));
  }

  /** Whether the engine is there. */
  setReady(ready) {
    this.#ready = ready;
    this.#update();
  }

  /** What the button says and why it cannot be pressed. */
  #update() {
    const consent = this.#consent.checked;
    this.#start.disabled = !(this.#ready && consent);
    if (!this.#ready) this.#hint.textContent = "Waiting for facewire on this machine …";
    else this.#hint.textContent = consent ? "" : "To begin, agree above that a picture of you is sent.";
  }

  /** There is a call already: a page that was reloaded goes back into it. */
  setReturning() {
    this.#start.textContent = "Return to the call";
  }

  /** Show the engine's word on the face. */
  setFace({ found, words }) {
    this.#preview.dataset.face = found ? "found" : "missing";
    this.#words.textContent = words || (found ? "You are well in the picture." : "Bring your face into the oval.");
    if (!found) show(this.#crop, false);
  }

  /** Say something about the camera itself. */
  setCamera(words) {
    this.#words.textContent = words;
    show(this.#crop, false);
    delete this.#preview.dataset.face;
  }

  /** Show the crop; `size` of the pictures that were sent, null before one was. */
  setCrop(crop, size) {
    if (size === null) return;
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
