// Text beside the call.

import { byId } from "./dom.js";

/** The chat's panel. */
export class Chat {
  #list = byId("messages");
  #mine = []; // what was shown when it was sent, until the engine says it back

  /** @param {(text: string) => boolean} send whether the line went */
  constructor(send) {
    const input = byId("say-text");
    byId("say").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text === "" || !send(text)) return;
      this.#mine.push(text);
      this.#append("me", text);
      input.value = "";
    });
  }

  /** Take a line of the engine. Returns whether it is new. */
  take({ from, text }) {
    const echoed = from === "me" ? this.#mine.indexOf(text) : -1;
    if (echoed >= 0) {
      this.#mine.splice(echoed, 1);
      return false;
    }
    this.#append(from, text);
    return from !== "me";
  }

  #append(from, text) {
    const line = document.createElement("li");
    line.className = from === "me" ? "me" : "them";
    line.textContent = text;
    line.setAttribute("aria-label", `${from === "me" ? "You" : "The other person"}: ${text}`);
    this.#list.append(line);
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}
