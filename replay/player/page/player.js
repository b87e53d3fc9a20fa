// Plays a recording: the clock runs, and the picture of its time is asked for. Where rendering is slower than the
// clock, pictures are left out and none is late.

import { byId, show } from "./dom.js";
import { Clock, clockWords, indexAt } from "./timeline.js";
import { attachTurn } from "./turn.js";

const token = new URLSearchParams(location.search).get("token") ?? "";
const address = (path, more = {}) => `${path}?${new URLSearchParams({ token, ...more })}`;

class Player {
  #times = [];
  #clock = new Clock();
  #index = -1;
  #wanted = null; // [index, yaw, pitch] that is to be asked for next
  #loading = false;
  #turn = attachTurn(byId("picture"), () => this.#turned());
  #audio = byId("audio");
  #withSound = false;
  shown = 0;

  async open() {
    const answer = await fetch(address("about.json")).catch(() => null);
    if (!answer?.ok) return this.#fail("This page belongs to a replay that is over. Start it again.");
    const about = await answer.json();
    this.#times = about.times_s;
    document.title = `${about.name} · facewire replay`;
    byId("name").textContent = about.name;
    byId("about").textContent = this.#words(about);
    if (about.damage !== null) this.#fail(`The recording is damaged: ${about.damage}. What is good before that plays.`);
    if (this.#times.length === 0) return this.#fail("There is no frame to show.");
    byId("place").max = String(this.#times.length - 1);
    for (const id of ["play", "back", "forth", "place"]) byId(id).disabled = false;
    this.#withSound = about.sound;
    show(byId("sound"), about.sound);
    if (about.sound) this.#audio.src = address("sound.wav");
    this.#listen();
    this.#setSpeed(about.speed);
    this.#go(0);
    requestAnimationFrame(() => this.#tick());
  }

  #words({ times_s: times, live, unreadable, frames_lost: lost }) {
    const parts = [`${times.length} pictures`, clockWords(times.at(-1) ?? 0)];
    if (live) parts.push("as on a screen");
    if (lost > 0) parts.push(`${lost} frames lost on the simulated link`);
    if (unreadable > 0) parts.push(`${unreadable} messages could not be read`);
    return parts.join(" · ");
  }

  #listen() {
    byId("play").addEventListener("click", () => this.#setPlaying(!this.#clock.running));
    byId("back").addEventListener("click", () => this.#step(-1));
    byId("forth").addEventListener("click", () => this.#step(1));
    byId("place").addEventListener("input", () => this.#jump(Number(byId("place").value)));
    byId("speed").addEventListener("change", () => this.#setSpeed(Number(byId("speed").value)));
    byId("sound").addEventListener("click", () => this.#toggleSound());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (event.target.closest("select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.tagName !== "BUTTON") this.#setPlaying(!this.#clock.running);
    else if (event.key === ",") this.#step(-1);
    else if (event.key === ".") this.#step(1);
    else return;
    event.preventDefault();
  }

  #setPlaying(on) {
    if (on && this.#index >= this.#times.length - 1) this.#jump(0);
    this.#clock.run(on, performance.now());
    byId("play").textContent = on ? "Pause" : "Play";
    this.#tuneSound();
  }

  #setSpeed(speed) {
    this.#clock.setSpeed(speed, performance.now());
    const choice = byId("speed");
    if (![...choice.options].some((option) => Number(option.value) === speed)) choice.add(new Option(`${speed}`, `${speed}`));
    choice.value = String(speed);
    this.#tuneSound();
  }

  #toggleSound() {
    const button = byId("sound");
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    this.#audio.muted = !on;
  }

  /** Sound runs beside the clock, as fast as it does; browsers play nothing faster than 4 times. */
  #tuneSound() {
    if (!this.#withSound) return;
    this.#audio.playbackRate = Math.min(4, Math.max(0.25, this.#clock.speed));
    this.#audio.currentTime = this.#clock.at(performance.now());
    if (this.#clock.running && this.#clock.speed <= 4) this.#audio.play().catch(() => {});
    else this.#audio.pause();
  }

  #step(by) {
    this.#setPlaying(false);
    this.#jump(Math.min(Math.max(this.#index + by, 0), this.#times.length - 1));
  }

  #jump(index) {
    this.#clock.set(this.#times[index], performance.now());
    this.#go(index);
    this.#tuneSound();
  }

  #tick() {
    requestAnimationFrame(() => this.#tick());
    if (!this.#clock.running) return;
    const timeS = this.#clock.at(performance.now());
    this.#go(indexAt(this.#times, timeS));
    if (timeS > this.#times.at(-1)) this.#setPlaying(false);
  }

  #go(index) {
    if (index === this.#index) return;
    this.#index = index;
    byId("place").value = String(index);
    byId("time").textContent = `${clockWords(this.#times[index])} · ${index + 1}`;
    this.#ask();
  }

  #turned() {
    const { yawDeg, pitchDeg } = this.#turn;
    const mark = byId("turn");
    mark.textContent = `${Math.round(yawDeg)}°, ${Math.round(pitchDeg)}°`;
    show(mark, yawDeg !== 0 || pitchDeg !== 0);
    this.#ask();
  }

  #ask() {
    this.#wanted = [this.#index, this.#turn.yawDeg, this.#turn.pitchDeg];
    if (!this.#loading) this.#load();
  }

  async #load() {
    this.#loading = true;
    while (this.#wanted !== null) {
      const [index, yaw, pitch] = this.#wanted;
      this.#wanted = null;
      const answer = await fetch(address(`picture/${index}.jpg`, { yaw, pitch })).catch(() => null);
      if (!answer?.ok) {
        this.#setPlaying(false);
        this.#fail("The program that renders the pictures has ended. Start the replay again.");
        break;
      }
      await this.#show(await answer.blob());
    }
    this.#loading = false;
  }

  async #show(blob) {
    const picture = byId("picture");
    const old = picture.src;
    picture.src = URL.createObjectURL(blob);
    await picture.decode().catch(() => {});
    if (old) URL.revokeObjectURL(old);
    this.shown += 1;
  }

  get index() {
    return this.#index;
  }

  #fail(words) {
    byId("problem").textContent = words;
    show(byId("problem"), true);
  }
}

globalThis.player = new Player();
globalThis.player.open();
