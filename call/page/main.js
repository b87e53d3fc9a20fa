// Puts the page together: devices and engine on one side, what is shown on the other.

import { Camera } from "./camera.js";
import { Chat } from "./chat.js";
import { Controls } from "./controls.js";
import { Devices } from "./devices.js";
import { byId, memory, show } from "./dom.js";
import { Figures } from "./figures.js";
import { Link } from "./link.js";
import { Lobby } from "./lobby.js";
import { TO_ENGINE, TO_PAGE } from "./messages.js";
import { OwnPicture } from "./own_picture.js";
import { PictureView } from "./picture.js";
import { ProblemBar } from "./problem.js";
import { Sound } from "./sound.js";
import { SourceDialog } from "./source_dialog.js";
import { StateView } from "./state_view.js";
import { PictureTiming } from "./sync.js";
import { attachTurn } from "./turn.js";
import { PROBLEMS, sentence } from "./words.js";

const LOBBY_FPS = 10;
const CALL_FPS = 30;
const TICK_MS = 100;
const NOTE_MS = 8000;
/** Problems with devices: gone once they could be opened. */
const DEVICE_PROBLEMS = ["no_camera", "no_microphone", "taken", "refused", "insecure", "device_gone", "echo"];

class Page {
  #problems = new ProblemBar();
  #state = new StateView();
  #figures = new Figures();
  #timing = new PictureTiming();
  #sound = new Sound();
  #devices = new Devices((kind) => this.#lost(kind));
  #started = false;
  #noteTimer = 0;
  #on = { mute: false, camera: false, frontalise: false, self_view: false, record: false }; // camera: whether it is off
  #link = new Link({
    onOpen: () => this.#greet(),
    onMessage: (message) => this.#take(message),
    onBinary: (message) => this.#takeBinary(message),
    onProblem: (name) => this.#unreachable(name),
  });
  #camera = new Camera(
    (timeMs, jpeg) => this.#link.sendFrame(TO_ENGINE.CAMERA, timeMs, jpeg),
    () => this.#link.hasRoom,
  );
  #lobby = new Lobby({
    onStart: (link) => this.#start(link),
    onChoose: (kind, id) => this.#choose(kind, id),
  });
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
  #turn = attachTurn(byId("remote"), (turn) => this.#view(turn));

  async open() {
    for (const id of ["chat", "curves"]) {
      byId(id).querySelector(".close").addEventListener("click", () => this.#panel(id, false));
    }
    byId("self-view").addEventListener("click", () => this.#toggle("self_view"));
    document.addEventListener("fullscreenchange", () => {
      this.#controls.setPressed("fullscreen", document.fullscreenElement !== null);
    });
    addEventListener("pagehide", () => this.#close());
    await this.#prepareSound();
    this.#link.open();
    await this.#openDevices();
    setInterval(() => this.#tick(), TICK_MS);
  }

  async #prepareSound() {
    try {
      await this.#sound.prepare((kind, timeMs, content) => this.#link.sendSound(kind, timeMs, content));
      if (!this.#sound.opus) this.#problems.say("no_webcodecs");
    } catch {
      this.#problems.say("old_browser");
    }
  }

  async #openDevices() {
    const problem = await this.#devices.open();
    await this.#devices.list(byId("camera-choice"), byId("microphone-choice"));
    if (problem !== null) this.#problems.say(problem, () => this.#openDevices());
    else this.#problems.clear(...DEVICE_PROBLEMS);
    if (problem === null && this.#devices.echoes) this.#problems.say("echo");
    const { camera, microphone } = this.#devices;
    for (const id of ["preview-video", "self-video"]) byId(id).srcObject = camera;
    this.#lobby.setCamera(camera === null ? "There is no picture of you." : "Bring your face into the oval.", camera !== null);
    if (camera !== null) this.#camera.watch(camera, byId("preview-video"));
    if (microphone !== null) this.#sound.microphone?.listen(microphone);
  }

  #choose(kind, id) {
    memory.set(kind, id);
    this.#openDevices();
  }

  #lost(kind) {
    this.#problems.say("device_gone", () => this.#openDevices());
    if (kind === "camera") this.#lobby.setCamera("The camera is gone.", false);
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
    else if (name === "chat" || name === "curves") this.#panel(name, byId(name).hidden);
    else if (name === "fullscreen") this.#fullscreen();
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

  #panel(name, open) {
    for (const id of ["chat", "curves"]) {
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

  #fullscreen() {
    if (document.fullscreenElement !== null) document.exitFullscreen();
    else byId("call").requestFullscreen?.().catch(() => {}); // a browser may refuse; the call goes on in its window
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
    return this.#devices.microphone?.getAudioTracks()[0]?.getSettings() ?? null;
  }

  /** Loudness of what is played, root mean square. */
  get loudness() {
    const samples = new Float32Array(2048);
    this.#sound.speaker.analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }

  #close() {
    this.#camera.close();
    this.#devices.close();
    this.#sound.close();
    this.#link.close();
  }
}

globalThis.facewire = new Page();
globalThis.facewire.open();
