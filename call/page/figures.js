// What the call costs: one quiet line, and curves for those who want them.

import { byId } from "./dom.js";

const KEPT = 240; // reports: two minutes
const whole = (value) => (Number.isFinite(value) ? String(Math.round(value)) : "–");

/** The quiet line, as parts; `more` parts are left out where there is little room. */
export function lineParts(stats) {
  const { wire_kbps_in: down, wire_kbps_out: up, h264_kbps: h264 } = stats;
  return [
    { words: `${whole(down)} kbps in, ${whole(up)} out` },
    { words: `loss ${whole(stats.loss * 100)} %` },
    { words: `delay ${whole(stats.delay_ms ?? NaN)} ms` },
    { words: `${whole(stats.fps_in)} fps`, more: true },
    { words: `H.264 would take ${whole(h264)} kbps` },
  ];
}

/**
 * A curve as an SVG path in a field of 100 by 40; gaps where a value is missing.
 *
 * @param {(number|null)[]} values oldest first
 * @param {number} top value at the upper edge
 */
export function curvePath(values, top) {
  const step = 100 / Math.max(1, KEPT - 1);
  const begin = 100 - (values.length - 1) * step;
  let pen = "M";
  return values
    .map((value, index) => {
      if (!Number.isFinite(value)) {
        pen = "M";
        return "";
      }
      const y = 40 - (Math.max(0, Math.min(top, value)) / top) * 38;
      const part = `${pen}${(begin + index * step).toFixed(2)} ${y.toFixed(2)}`;
      pen = "L";
      return part;
    })
    .join("");
}

const PLOTS = [
  { title: "On the wire, in (– – out)", unit: "kbps", keys: ["wire_kbps_in", "wire_kbps_out"], least: 40 },
  { title: "Payload, in (– – out)", unit: "kbps", keys: ["payload_kbps_in", "payload_kbps_out"], least: 30 },
  { title: "Delay", unit: "ms", keys: ["delay_ms"], least: 200 },
  { title: "Loss", unit: "%", keys: ["loss_percent"], least: 10 },
  { title: "Pictures shown (– – sent)", unit: "a second", keys: ["fps_in", "fps_out"], least: 30 },
];

/** The line and the curves' panel. */
export class Figures {
  #line = byId("line");
  #history = [];
  #plots;

  constructor() {
    this.#plots = PLOTS.map((plot) => ({ ...plot, ...this.#build(plot) }));
  }

  #build({ title, keys }) {
    const box = document.createElement("div");
    box.className = "plot";
    box.innerHTML = `<p><span>${title}</span><b></b></p>
      <svg viewBox="0 0 100 42" preserveAspectRatio="none" role="img">${keys
        .map((_, index) => `<path class="${index === 0 ? "first" : "second"}"/>`)
        .join("")}</svg>`;
    byId("plots").append(box);
    return { now: box.querySelector("b"), svg: box.querySelector("svg"), paths: box.querySelectorAll("path") };
  }

  /** Take a report of the engine. */
  take(stats) {
    this.#history.push({ ...stats, loss_percent: stats.loss * 100 });
    if (this.#history.length > KEPT) this.#history.shift();
    const spans = lineParts(stats).map(({ words, more }, index) => {
      const span = document.createElement("span");
      span.textContent = index === 0 ? words : `  ·  ${words}`;
      if (more) span.className = "more";
      return span;
    });
    this.#line.replaceChildren(...spans);
    if (!byId("curves").hidden) this.draw();
  }

  /** Draw the curves anew. */
  draw() {
    for (const { title, unit, keys, least, now, svg, paths } of this.#plots) {
      const columns = keys.map((key) => this.#history.map((stats) => stats[key]));
      const top = Math.max(least, ...columns.flat().filter(Number.isFinite));
      const newest = columns.map((column) => whole(column.at(-1) ?? NaN)).join(" / ");
      paths.forEach((path, index) => path.setAttribute("d", curvePath(columns[index], top)));
      now.textContent = `${newest} ${unit}`;
      svg.setAttribute("aria-label", `${title}: now ${newest} ${unit}, at most ${whole(top)} in view`);
    }
  }

  /** What the page knows of the sound: {bitrate, bufferedMs, concealed share, skewMs}. */
  setSound({ bitrate, bufferedMs, madeUp, skewMs }) {
    const parts = [`Voice at ${bitrate / 1000} kbps`];
    if (Number.isFinite(bufferedMs)) parts.push(`${whole(bufferedMs)} ms in store`, `${(madeUp * 100).toFixed(1)} % made up`);
    if (skewMs !== null) parts.push(`heard ${whole(Math.abs(skewMs))} ms ${skewMs < 0 ? "before" : "after"} the picture`);
    byId("sound-line").textContent = `${parts.join(", ")}.`;
  }
}
