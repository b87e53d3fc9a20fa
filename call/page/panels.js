// What opens beside or over the call: chat, curves, full screen.

import { byId, show } from "./dom.js";

const PANELS = ["chat", "curves"];

/** One panel is open at a time. */
export class Panels {
  #controls;
  #figures;

  /**
   * @param {Controls} controls whose buttons show what is open
   * @param {Figures} figures drawn when they are opened
   */
  constructor(controls, figures) {
    this.#controls = controls;
    this.#figures = figures;
    for (const id of PANELS) {
      byId(id).querySelector(".close").addEventListener("click", () => this.set(id, false));
    }
    document.addEventListener("fullscreenchange", () => {
      controls.setPressed("fullscreen", document.fullscreenElement !== null);
    });
  }

  /** Open or close a panel; the keyboard goes where it is of use. */
  set(name, open) {
    for (const id of PANELS) {
      show(byId(id), id === name && open);
      this.#controls.setPressed(id, id === name && open);
    }
    if (!open) byId(`do-${name}`).focus();
    else if (name === "curves") this.#figures.draw();
    else {
      this.#controls.setNews("chat", false);
      byId("say-text").focus();
    }
  }

  /** Open what is closed, close what is open. */
  toggle(name) {
    if (PANELS.includes(name)) this.set(name, byId(name).hidden);
    else if (document.fullscreenElement !== null) document.exitFullscreen();
    else byId("call").requestFullscreen?.().catch(() => {}); // a browser may refuse; the call goes on in its window
  }
}
