// The row of buttons, and the keys that press them.

import { byId } from "./dom.js";

// Drawn in a field of 24 by 24.
const ICONS = {
  mute: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  camera: "M3 7.5h11a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1ZM15 11l6-3v8l-6-3",
  frontalise: "M2.5 12S6 6 12 6s9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6ZM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z",
  source: "M4 4.5h16v15H4zM12 8a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5ZM7 19c.6-3 2.600-4 5-4s4.400 1 5 4",
  chat: "M4 5h16v11h-9l-4 4v-4H4z",
  record: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z",
  curves: "M3 4v16h18M6.500 15l4-5 3.500 3 5-7",
  fullscreen: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  leave: "M3 13c4-4.500 14-4.500 18 0l-2.500 3-4-1.500v-2.500c-1.600-.6-3.400-.6-5 0v2.500l-4 1.500z",
};

/** Every action with its key. `off`: pressed means that something is off. */
export const ACTIONS = Object.freeze([
  { name: "mute", key: "m", label: "Mute", pressed: "Unmute", toggle: true, off: true },
  { name: "camera", key: "v", label: "Camera off", pressed: "Camera on", toggle: true, off: true },
  { name: "frontalise", key: "l", label: "Look at me", toggle: true },
  { name: "source", key: "p", label: "New picture" },
  { name: "chat", key: "c", label: "Chat", toggle: true },
  { name: "record", key: "r", label: "Record", pressed: "Stop recording", toggle: true },
  { name: "curves", key: "g", label: "Curves", toggle: true },
  { name: "fullscreen", key: "f", label: "Full screen", toggle: true },
  { name: "leave", key: null, label: "Leave" },
]);

/** Keys that no button shows. */
const MORE_KEYS = [
  ["← → ↑ ↓", "Turn the face, when the picture has the focus"],
  ["Home", "Turn the face back, like a double-click"],
  ["?", "This list"],
];

/** The toolbar. */
export class Controls {
  #buttons = new Map();
  #onAction;

  /** @param {(name: string) => void} onAction told of an action by button or key */
  constructor(onAction) {
    this.#onAction = onAction;
    byId("controls").append(...ACTIONS.map((action) => this.#build(action)));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.#buildHelp();
  }

  #build({ name, key, label, toggle, off }) {
    const button = document.createElement("button");
    button.type = "button";
    button.id = `do-${name}`;
    button.className = [name, off ? "off" : ""].join(" ").trim();
    button.title = key === null ? label : `${label} (${key.toUpperCase()})`;
    if (key !== null) button.setAttribute("aria-keyshortcuts", key);
    if (toggle) button.setAttribute("aria-pressed", "false");
    button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
    const words = document.createElement("span");
    words.className = "label";
    words.textContent = label;
    button.append(words);
    button.addEventListener("click", () => this.#onAction(name));
    this.#buttons.set(name, button);
    return button;
  }

  #key(event) {
    const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (document.body.dataset.view !== "call" || document.querySelector("dialog[open]")) return;
    if (event.key === "?") byId("help").showModal();
    const action = ACTIONS.find(({ key }) => key === event.key.toLowerCase());
    if (action === undefined) return;
    event.preventDefault();
    this.#onAction(action.name);
  }

  #buildHelp() {
    const rows = ACTIONS.filter(({ key }) => key !== null).map(({ key, label }) => [key.toUpperCase(), label]);
    for (const [keys, words] of [...rows, ...MORE_KEYS]) {
      const term = document.createElement("dt");
      const key = document.createElement("kbd");
      key.textContent = keys;
      term.append(key);
      const meaning = document.createElement("dd");
      meaning.textContent = words;
      byId("keys").append(term, meaning);
    }
    byId("help-close").addEventListener("click", () => byId("help").close());
  }

  /** Show whether a toggle is on. Its name says what a press does. */
  setPressed(name, on) {
    const { label, pressed } = ACTIONS.find((action) => action.name === name);
    const button = this.#buttons.get(name);
    button.setAttribute("aria-pressed", String(on));
    button.querySelector(".label").textContent = on ? pressed ?? label : label;
  }

  /** Mark that there is something new behind a button. */
  setNews(name, on) {
    this.#buttons.get(name).classList.toggle("news", on);
  }

  /** After the call only what still means something can be pressed. */
  setEnded() {
    for (const [name, button] of this.#buttons) button.disabled = !["chat", "curves", "fullscreen"].includes(name);
  }
}
