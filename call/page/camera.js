// Camera -> JPEG with the time of its capture, as many a second as are wanted.

import { ClockOffset } from "./sound/clock.js";

const QUALITY = 0.85; // 27 kB at 512 px; the engine sees no difference to more
const LARGEST_SIDE = 640;
const MOST_IN_FLIGHT = 2;

/** What the browser is asked for; a camera that has less gives what it has. */
export const CONSTRAINTS = Object.freeze({
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30, max: 30 },
});

/** Width and height of the pictures that are sent, for a camera of this size: at most LARGEST_SIDE, even numbers. */
export function sentSize(width, height) {
  const scale = Math.min(1, LARGEST_SIDE / Math.max(width, height, 1));
  return [2 * Math.round((width * scale) / 2), 2 * Math.round((height * scale) / 2)];
}

/** One camera's pictures on their way to the engine. */
export class Camera {
  #worker = new Worker(new URL("camera_worker.js", import.meta.url));
  #onFrame;
  #hasRoom;
  #inFlight = 0;
  #lastMs = -Infinity;
  #stop = () => {};
  #clock = new ClockOffset(); // the camera's clock read by the page's
  /** Pictures a second that are wanted; 0 sends none. */
  fps = 10;
  /** Size of the pictures sent, in px, once one was. */
  size = null;

  /**
   * @param {(timeMs: number, jpeg: ArrayBuffer) => void} onFrame takes frames with their capture time
   * @param {() => boolean} hasRoom whether a frame could be sent now; else it is not even coded
   */
  constructor(onFrame, hasRoom) {
    this.#onFrame = onFrame;
    this.#hasRoom = hasRoom;
    this.#worker.onmessage = ({ data }) => {
      this.#inFlight -= 1;
      this.size = [data.width, data.height];
      this.#onFrame(data.timeMs, data.jpeg);
    };
  }

  /**
   * Take pictures from a stream that `video` plays.
   *
   * MediaStreamTrackProcessor goes on in a page that is not looked at, requestVideoFrameCallback is in every browser.
   */
  watch(stream, video) {
    this.#stop();
    this.#clock.reset();
    const track = stream.getVideoTracks()[0];
    if (track === undefined) return;
    this.#stop = "MediaStreamTrackProcessor" in globalThis ? this.#readTrack(track) : this.#readVideo(video);
  }

  #readTrack(track) {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable.getReader();
    let going = true;
    const read = async () => {
      while (going) {
        const { value: frame, done } = await reader.read();
        if (done) return;
        const nowMs = performance.now();
        this.#clock.observe(frame.timestamp / 1000, nowMs);
        const timeMs = this.#clock.toLocal(frame.timestamp / 1000);
        if (going && this.#wants(timeMs)) this.#encode(frame, frame.displayWidth, frame.displayHeight, timeMs);
        else frame.close();
      }
    };
    read();
    return () => {
      going = false;
      reader.cancel();
    };
  }

  #readVideo(video) {
    let going = true;
    const next = async (now, metadata) => {
      if (!going) return;
      video.requestVideoFrameCallback(next);
      const timeMs = metadata.captureTime ?? now;
      if (!this.#wants(timeMs)) return;
      const bitmap = await createImageBitmap(video).catch(() => null); // the camera has just been changed or let go
      if (bitmap !== null) this.#encode(bitmap, bitmap.width, bitmap.height, timeMs);
    };
    video.requestVideoFrameCallback(next);
    return () => {
      going = false;
    };
  }

  /** Whether the frame of this time is one to send; a quarter of a period of jitter is no reason to skip one. */
  #wants(timeMs) {
    if (this.fps === 0 || this.#inFlight >= MOST_IN_FLIGHT || !this.#hasRoom()) return false;
    if (timeMs - this.#lastMs < 750 / this.fps) return false;
    this.#lastMs = timeMs;
    return true;
  }

  #encode(picture, width, height, timeMs) {
    const [sentWidth, sentHeight] = sentSize(width, height);
    this.#inFlight += 1;
    const work = { picture, width: sentWidth, height: sentHeight, quality: QUALITY, timeMs };
    this.#worker.postMessage(work, [picture]);
  }

  /** Let go of the camera. */
  close() {
    this.#stop();
    this.#worker.terminate();
  }
}
