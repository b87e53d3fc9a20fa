// The one place where things that went wrong are said.

import { byId, show } from "./dom.js";
import { PROBLEMS, sentence } from "./words.js";

const MILD = new Set(["no_webcodecs", "no_microphone", "echo"]);

/** Shows one problem at a time, in words, with what to do. */
export class ProblemBar {
  #bar = byId("problem");
  #again = byId("problem-again");
  #name = null;

  constructor() {
    byId("problem-close").addEventListener("click", () => this.clear());
  }

  /**
   * Say one of words.PROBLEMS.
   *
   * @param {string} name
   * @param {(() => void)|null} again what “Try again” does; null: there is no such button
   */
  say(name, again = null) {
    this.#show(name, PROBLEMS[name].words, PROBLEMS[name].what_to_do, again);
  }

  /** Say what the engine says. */
  tell(words, whatToDo) {
    this.#show("engine", sentence(words), sentence(whatToDo), null);
  }

  #show(name, words, whatToDo, again) {
    this.#name = name;
    this.#bar.querySelector(".problem-words").textContent = words;
    this.#bar.querySelector(".problem-todo").textContent = whatToDo;
    this.#bar.classList.toggle("mild", MILD.has(name));
    show(this.#again, again !== null);
    this.#again.onclick = again;
    show(this.#bar, true);
  }

  /** Take the words away; with names, only where one of those is shown. */
  clear(...names) {
    if (names.length > 0 && !names.includes(this.#name)) return;
    this.#name = null;
    show(this.#bar, false);
  }
}
