// Camera, microphone and what plays: opened, chosen, lost. What goes wrong with them is said.

import { Camera } from "./camera.js";
import { Devices } from "./devices.js";
import { byId, memory } from "./dom.js";
import { TO_ENGINE } from "./messages.js";
import { Sound } from "./sound.js";

/** Problems with devices: gone once they could be opened. */
const DEVICE_PROBLEMS = ["no_camera", "no_microphone", "taken", "refused", "insecure", "device_gone", "echo"];

/** The devices of one page. */
export class Equipment {
  sound = new Sound();
  camera;
  #devices = new Devices((kind) => this.#lost(kind));
  #link;
  #problems;
  #onCamera;

  /**
   * @param {Link} link takes frames and sound
   * @param {ProblemBar} problems
   * @param {(words: string, there: boolean) => void} onCamera told whether there is a camera, in words
   */
  constructor(link, problems, onCamera) {
    this.#link = link;
    this.#problems = problems;
    this.#onCamera = onCamera;
    this.camera = new Camera(
      (timeMs, jpeg) => link.sendFrame(TO_ENGINE.CAMERA, timeMs, jpeg),
      () => link.hasRoom,
    );
  }

  /** Get ready to code and play speech. */
  async prepareSound() {
    try {
      await this.sound.prepare((kind, timeMs, content) => this.#link.sendSound(kind, timeMs, content));
      if (!this.sound.opus) this.#problems.say("no_webcodecs");
    } catch {
      this.#problems.say("old_browser");
    }
  }

  /** Open what was chosen, or what there is. */
  async open() {
    const problem = await this.#devices.open();
    await this.#devices.list(byId("camera-choice"), byId("microphone-choice"));
    if (problem !== null) this.#problems.say(problem, () => this.open());
    else this.#problems.clear(...DEVICE_PROBLEMS);
    if (problem === null && this.#devices.echoes) this.#problems.say("echo");
    const { camera, microphone } = this.#devices;
    for (const id of ["preview-video", "self-video"]) byId(id).srcObject = camera;
    this.#onCamera(camera === null ? "There is no picture of you." : "Bring your face into the oval.", camera !== null);
    if (camera !== null) this.camera.watch(camera, byId("preview-video"));
    if (microphone !== null) this.sound.microphone?.listen(microphone);
  }

  /** Take another camera or microphone. */
  choose(kind, id) {
    memory.set(kind, id);
    this.open();
  }

  #lost(kind) {
    this.#problems.say("device_gone", () => this.open());
    if (kind === "camera") this.#onCamera("The camera is gone.", false);
  }

  /** What the browser says it does to the microphone's sound. */
  get microphoneSettings() {
    return this.#devices.microphone?.getAudioTracks()[0]?.getSettings() ?? null;
  }

  /** Let go of all of it. */
  close() {
    this.camera.close();
    this.#devices.close();
    this.sound.close();
  }
}
