// Cameras and microphones: which there are, which is chosen, and what stands in the way.

import { CONSTRAINTS as CAMERA } from "./camera.js";
import { memory } from "./dom.js";
import { CONSTRAINTS as MICROPHONE } from "./sound/microphone.js";
import { deviceProblem } from "./words.js";

const chosen = (base, id) => (id ? { ...base, deviceId: { exact: id } } : { ...base });

/** Camera and microphone that are open. */
export class Devices {
  /** MediaStream with one video track, or null. */
  camera = null;
  /** MediaStream with one audio track, or null. */
  microphone = null;
  #onLost;

  /** @param {(kind: "camera"|"microphone") => void} onLost told when a device is pulled out */
  constructor(onLost) {
    this.#onLost = onLost;
  }

  /**
   * Open both, or what of them there is.
   *
   * @returns {Promise<string|null>} the worst problem, a name in words.PROBLEMS, or null
   */
  async open() {
    if (!navigator.mediaDevices?.getUserMedia) return "insecure";
    this.close();
    const video = chosen(CAMERA, memory.get("camera"));
    const audio = chosen(MICROPHONE, memory.get("microphone"));
    try {
      this.#keep(await navigator.mediaDevices.getUserMedia({ video, audio }));
      return null;
    } catch {
      return this.#openEach();
    }
  }

  /** One at a time, for what there is; a remembered device that is gone gives way to any. */
  async #openEach() {
    let problem = null;
    try {
      this.#keep(await navigator.mediaDevices.getUserMedia({ audio: { ...MICROPHONE } }));
    } catch (error) {
      problem = deviceProblem(error) === "no_camera" ? "no_microphone" : deviceProblem(error);
    }
    try {
      this.#keep(await navigator.mediaDevices.getUserMedia({ video: { ...CAMERA } }));
    } catch (error) {
      problem = deviceProblem(error);
    }
    return problem;
  }

  #keep(stream) {
    for (const track of stream.getTracks()) {
      const kind = track.kind === "video" ? "camera" : "microphone";
      this[kind] = new MediaStream([track]);
      track.addEventListener("ended", () => this.#onLost(kind));
    }
  }

  /** Whether the browser says that it takes no echo out of the microphone's sound, though it was asked to. */
  get echoes() {
    return this.microphone?.getAudioTracks()[0]?.getSettings().echoCancellation === false;
  }

  /** Fill the two <select>s with what there is. */
  async list(cameraChoice, microphoneChoice) {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    this.#fill(cameraChoice, all.filter(({ kind }) => kind === "videoinput"), this.camera, "Camera");
    this.#fill(microphoneChoice, all.filter(({ kind }) => kind === "audioinput"), this.microphone, "Microphone");
  }

  #fill(choice, devices, stream, name) {
    const current = stream?.getTracks()[0]?.getSettings().deviceId;
    const options = devices.map(({ deviceId, label }, index) => {
      return new Option(label || `${name} ${index + 1}`, deviceId, false, deviceId === current);
    });
    choice.replaceChildren(...(options.length > 0 ? options : [new Option(`No ${name.toLowerCase()} found`, "")]));
    choice.disabled = options.length === 0;
  }

  /** Close both. */
  close() {
    for (const stream of [this.camera, this.microphone]) stream?.getTracks().forEach((track) => track.stop());
    this.camera = null;
    this.microphone = null;
  }
}
