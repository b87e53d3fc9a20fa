// Where the call stands, in words and in what is shown.

import { byId, copy, show } from "./dom.js";
import { STATE_WORDS, adviceFor, sentence, stateName, viewWords } from "./words.js";

/** Shows the engine's state. */
export class StateView {
  /** The state's name, as in words.STATE_WORDS. */
  name = "starting";

  constructor() {
    const link = byId("room-link");
    byId("copy-link").addEventListener("click", ({ target }) => {
      link.select();
      copy(link.value, target);
    });
    this.take({ state: "starting", reason: "", room_link: "" });
  }

  /** Take a state message. Returns the state's name, null for one that this page does not know. */
  take({ state, reason, room_link: roomLink }) {
    const name = stateName(state);
    if (name === null) return null;
    this.name = name;
    const { title, hint } = STATE_WORDS[name];
    document.body.dataset.state = name;
    document.title = `${title} – facewire`;
    byId("state-title").textContent = title;
    byId("state-hint").textContent = [name === "waiting" ? "" : sentence(reason), hint].join(" ").trim();
    byId("room-link").value = roomLink ?? "";
    show(byId("invite"), name === "waiting" && Boolean(roomLink));
    show(byId("state"), name !== "ended");
    this.#end(name, reason);
    return name;
  }

  #end(name, reason) {
    show(byId("ended"), name === "ended");
    show(byId("self"), name !== "ended");
    byId("ended-reason").textContent = sentence(reason);
    byId("ended-todo").textContent = adviceFor(reason ?? "");
  }

  /** Say by how much the face is turned. */
  setTurn(yawDeg, pitchDeg) {
    const words = viewWords(yawDeg, pitchDeg);
    byId("turn").textContent = words === "" ? "" : `Turned ${words}`;
    show(byId("turn"), words !== "");
  }

  /** Say in the call that the camera shows no face. */
  setFace({ found, words }) {
    byId("face-note").textContent = sentence(words) || "No face in your picture: the other person sees the last one.";
    show(byId("face-note"), !found && ["in_call", "unstable"].includes(this.name));
  }

  /** Ask for a new source picture; for no reason any more: ask no longer. */
  ask(why, onYes) {
    if (why === "") return show(byId("ask"), false);
    byId("ask-why").textContent = sentence(why);
    byId("ask-yes").onclick = () => {
      show(byId("ask"), false);
      onYes();
    };
    byId("ask-no").onclick = () => show(byId("ask"), false);
    return show(byId("ask"), true);
  }
}
