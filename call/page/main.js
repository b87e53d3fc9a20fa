// Puts the page together: devices and engine on one side, what is shown on the other.

import { Chat } from "./chat.js";
import { Controls } from "./controls.js";
import { byId, show } from "./dom.js";
import { Equipment } from "./equipment.js";
import { Figures } from "./figures.js";
import { Link } from "./link.js";
import { Lobby } from "./lobby.js";
import { TO_PAGE } from "./messages.js";
import { OwnPicture } from "./own_picture.js";
import { Panels } from "./panels.js";
import { PictureView } from "./picture.js";
import { ProblemBar } from "./problem.js";
import { SourceDialog } from "./source_dialog.js";
import { StateView } from "./state_view.js";
import { PictureTiming } from "./sync.js";
import { attachTurn } from "./turn.js";
import { PROBLEMS, sentence } from "./words.js";

const CALL_FPS = 30;
const TICK_MS = 100;
const NOTE_MS = 8000;

class Page {
  #problems = new ProblemBar();
  #state = new StateView();
  #figures = new Figures();
  #timing = new PictureTiming();
  #started = false;
  #noteTimer = 0;
  #on = { mute: false, camera: false, frontalise: false, self_view: false, record: false }; // camera: whether it is off
  #link = new Link({
    onOpen: () => this.#greet(),
    onMessage: (message) => this.#take(message),
    onBinary: (message) => this.#takeBinary(message),
    onProblem: (name) => this.#unreachable(name),
  });
  #lobby = new Lobby({
    onStart: (link) => this.#start(link),
    onChoose: (kind, id) => this.#equipment.choose(kind, id),
  });
  #equipment = new Equipment(this.#link, this.#problems, (words, there) => this.#lobby.setCamera(words, there));
  #remote = new PictureView(
    byId("remote"),
    (timeMs, nowMs) => this.#timing.showAt(timeMs, nowMs),
    () => {
      document.body.dataset.picture = "";
    },
  );
  #self = new PictureView(
    byId("self-canvas"),
    (_, nowMs) => nowMs,
    () => this.#showSelf(),
  );
  #chat = new Chat((text) => this.#link.send({ type: "chat", text }));
  #own = new OwnPicture(
    (message) => this.#link.send(message),
    () => this.#source.open(),
  );
  #source = new SourceDialog(
    (message) => this.#link.send(message),
    (picture) => this.#own.agreed(picture),
  );
  #controls = new Controls((name) => this.#act(name));
  #panels = new Panels(this.#controls, this.#figures);
  #turn = attachTurn(byId("remote"), (turn) => this.#view(turn));

  async open() {
    byId("self-view").addEventListener("click", () => this.#toggle("self_view"));
    addEventListener("pagehide", () => this.#close());
    await this.#equipment.prepareSound();
    this.#link.open();
    await this.#equipment.open();
    setInterval(() => this.#tick(), TICK_MS);
  }

  get #sound() {
    return this.#equipment.sound;
  }

  get #camera() {
    return this.#equipment.camera;
  }

  /** After every opening of the link: what the engine must know. */
  #greet() {
    this.#problems.clear("engine_gone");
    this.#link.send({ type: "hello", codecs: { opus: this.#sound.opus } });
    this.#lobby.setReady(true);
    this.#own.greet();
    if (!this.#started) return;
    this.#link.send({ type: "start", consent: true });
    this.#link.send({ type: "mute", on: this.#on.mute });
    this.#link.send({ type: "camera", on: !this.#on.camera });
  }

  #unreachable(name) {
    if (this.#state.name === "ended") return; // it ended and went: nothing to complain of
    this.#lobby.setReady(false);
    this.#problems.say(name);
    if (this.#started) this.#takeState({ state: "ended", reason: PROBLEMS[name].words, room_link: "" });
  }

  #start(roomLink = "") {
    this.#sound.wake();
    this.#started = true;
    this.#own.start();
    this.#camera.fps = CALL_FPS;
    if (this.#sound.microphone !== null) this.#sound.microphone.muted = this.#on.mute;
    this.#link.send({ type: "start", consent: true, ...(roomLink ? { room_link: roomLink } : {}) });
    document.body.dataset.view = "call";
    show(byId("lobby"), false);
    show(byId("call"), true);
    byId("remote").focus({ preventScroll: true });
  }

  #take(message) {
    switch (message.type) {
      case "state":
        return this.#takeState(message);
      case "stats":
        return this.#figures.take(message);
      case "voice":
        return this.#sound.setBitrate(message.bit_rate);
      case "crop":
        return this.#lobby.setCrop(message, this.#camera.size);
      case "face":
        this.#lobby.setFace(message);
        if (message.found && this.#state.name === "starting") this.#own.faceSeen();
        return this.#state.setFace(message);
      case "chat":
        return this.#chat.take(message) && byId("chat").hidden && this.#controls.setNews("chat", true);
      case "mute":
        return message.who === "them" ? show(byId("their-mute"), message.on) : this.#set("mute", message.on);
      case "record":
        return this.#recorded(message);
      case "ask_source":
        return this.#state.ask(message.why, () => this.#source.open());
      case "source_preview":
        return this.#source.take(message) || this.#own.take(message);
      case "error":
        return this.#takeError(message);
    }
  }

  /** Who records is on the picture for as long as it is so; where one's own recording is, below it. */
  #recorded({ who, on, where }) {
    if (who === "them") return show(byId("their-record"), on);
    this.#set("record", on);
    show(byId("own-record"), on);
    const note = byId("record-note");
    note.textContent = where === "" ? "" : `${on ? "Recording into" : "The recording is in"} ${where}`;
    show(note, where !== "");
    clearTimeout(this.#noteTimer);
    this.#noteTimer = setTimeout(() => show(note, false), NOTE_MS);
  }

  #takeState(message) {
    const name = this.#state.take(message);
    if (!this.#started && !["starting", "waiting", "ended", null].includes(name)) this.#lobby.setReturning();
    if (name !== "ended") return;
    if (!this.#started) this.#start(); // what ended before it began is said on the call's page as well
    this.#controls.setEnded();
    this.#own.end();
    this.#close();
  }

  #takeError({ words, what_to_do: whatToDo }) {
    if (this.#source.isOpen) this.#source.refuse(`${sentence(words)} ${sentence(whatToDo)}`);
    else this.#problems.tell(words, whatToDo);
  }

  #takeBinary(message) {
    if (message.kind === TO_PAGE.PICTURE) this.#remote.take(message);
    else if (message.kind === TO_PAGE.SELF) this.#self.take(message);
    else this.#sound.speaker?.take(message);
  }

  #act(name) {
    if (name === "source") this.#source.open();
    else if (["chat", "curves", "fullscreen"].includes(name)) this.#panels.toggle(name);
    else if (name === "leave") this.#leave();
    else this.#toggle(name);
  }

  #toggle(name) {
    const on = !this.#on[name];
    this.#set(name, on);
    this.#link.send({ type: name, on: name === "camera" ? !on : on });
  }

  #set(name, on) {
    this.#on[name] = on;
    if (name === "self_view") {
      byId("self-view").setAttribute("aria-pressed", String(on));
      return this.#showSelf();
    }
    this.#controls.setPressed(name, on);
    if (name === "mute" && this.#sound.microphone !== null) this.#sound.microphone.muted = on;
    if (name === "camera") {
      this.#camera.fps = on ? 0 : CALL_FPS;
      show(byId("self-off"), on);
    }
  }

  /** The mirror's picture, or what the engine makes of one, once it has made some. */
  #showSelf() {
    const asTheySee = this.#on.self_view && this.#self.shown > 0;
    show(byId("self-canvas"), asTheySee);
    show(byId("self-video"), !asTheySee);
  }

  #view({ yawDeg, pitchDeg }) {
    this.#link.send({ type: "view", yaw_deg: yawDeg, pitch_deg: pitchDeg });
    this.#state.setTurn(yawDeg, pitchDeg);
  }

  #leave() {
    this.#link.send({ type: "leave" });
    this.#takeState({ state: "ended", reason: "You left the call.", room_link: "" });
  }

  #tick() {
    const { microphone, speaker } = this.#sound;
    if (!this.#started) this.#lobby.setLevel(microphone?.level ?? 0);
    const heard = speaker?.heard ?? null;
    this.#timing.hear(heard?.mediaMs ?? null, heard?.atMs ?? 0);
    speaker?.setExtra(this.#timing.extraMs);
    if (!byId("curves").hidden) this.#figures.setSound({ ...this.#sound.figures, skewMs: this.#timing.skewMs });
  }

  /** What the page has counted; for tests and for the curious, in the browser's console. */
  get figures() {
    return {
      shown: this.#remote.shown,
      dropped: this.#remote.dropped,
      last: this.#remote.last,
      skipped: this.#link.skipped,
      skewMs: this.#timing.skewMs,
      extraMs: this.#timing.extraMs,
      sound: { ...this.#sound.figures, counts: this.#sound.speaker?.counts },
      view: { yaw_deg: this.#turn.yawDeg, pitch_deg: this.#turn.pitchDeg },
    };
  }

  /** What the browser says it does to the microphone's sound. */
  get microphoneSettings() {
    return this.#equipment.microphoneSettings;
  }

  /** Loudness of what is played, root mean square. */
  get loudness() {
    return this.#sound.speaker.loudness;
  }

  #close() {
    this.#equipment.close();
    this.#link.close();
  }
}

globalThis.facewire = new Page();
globalThis.facewire.open();
