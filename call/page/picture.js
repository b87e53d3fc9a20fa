// JPEGs of the engine on a canvas, each at its time.

const MOST_WAITING = 8;

/** Shows pictures on a canvas. */
export class PictureView {
  #canvas;
  #context;
  #showAt;
  #waiting = []; // {atMs, timeMs, bitmap}, in order of arrival
  #decoding = Promise.resolve();
  #behind = 0;
  #drawing = false;
  /** Pictures shown, and left out because newer ones were there. */
  shown = 0;
  dropped = 0;
  /** Capture time of the picture shown and when it was drawn. */
  last = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(timeMs: number, nowMs: number) => number} showAt when a picture is to be shown
   * @param {() => void} onFirst told when there is a picture at all
   */
  constructor(canvas, showAt, onFirst = () => {}) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#showAt = showAt;
    this.onFirst = onFirst;
  }

  /** Take a picture; one that no decoder has time for is left out. */
  take({ timeMs, content }) {
    if (this.#behind >= MOST_WAITING) {
      this.dropped += 1;
      return;
    }
    this.#behind += 1;
    const atMs = this.#showAt(timeMs, performance.now());
    const bitmap = createImageBitmap(new Blob([content], { type: "image/jpeg" })).catch(() => null);
    this.#decoding = this.#decoding.then(async () => this.#decoded(atMs, timeMs, await bitmap));
  }

  #decoded(atMs, timeMs, bitmap) {
    this.#behind -= 1;
    if (bitmap === null) {
      this.dropped += 1; // no picture: nothing to show
      return;
    }
    this.#waiting.push({ atMs, timeMs, bitmap });
    while (this.#waiting.length > MOST_WAITING) this.#leaveOut();
    if (!this.#drawing) {
      this.#drawing = true;
      requestAnimationFrame(() => this.#draw());
    }
  }

  #leaveOut() {
    this.#waiting.shift().bitmap.close();
    this.dropped += 1;
  }

  #draw() {
    // A display frame is 16 ms: what is due before its middle is shown with it.
    const nowMs = performance.now() + 8;
    while (this.#waiting.length > 1 && this.#waiting[1].atMs <= nowMs) this.#leaveOut();
    if (this.#waiting.length > 0 && this.#waiting[0].atMs <= nowMs) this.#show(this.#waiting.shift());
    this.#drawing = this.#waiting.length > 0;
    if (this.#drawing) requestAnimationFrame(() => this.#draw());
  }

  #show({ timeMs, bitmap }) {
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      [this.#canvas.width, this.#canvas.height] = [width, height];
    }
    this.#context.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.shown += 1;
    this.last = { timeMs, atMs: performance.now() };
    if (this.shown === 1) this.onFirst();
  }
}
