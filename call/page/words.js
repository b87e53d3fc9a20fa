// What a person reads: each state of a call, each thing that can go wrong, and what to do about it.

/** Title and, where there is something to do or to know, a line below it. */
export const STATE_WORDS = Object.freeze({
  starting: { title: "Getting ready", hint: "The networks are being loaded. This takes a few seconds the first time." },
  waiting: { title: "Waiting for the other person", hint: "The call begins as soon as they join." },
  connecting: { title: "Connecting", hint: "The other person is here; the two machines are finding a way to each other." },
  in_call: { title: "In call", hint: "" },
  unstable: { title: "The connection is unstable", hint: "The last picture stays until more arrives." },
  reconnecting: { title: "Reconnecting", hint: "Stay here: the call goes on as soon as the network is back." },
  ended: { title: "The call has ended", hint: "To call again, run facewire call once more." },
});

/** Words for what the page itself finds wrong. */
export const PROBLEMS = Object.freeze({
  no_camera: {
    words: "No camera was found.",
    what_to_do: "Plug one in and press “Try again”, or go on without: you will hear and see the other person.",
  },
  no_microphone: {
    words: "No microphone was found.",
    what_to_do: "Plug one in and press “Try again”, or go on without: the chat still works.",
  },
  taken: {
    words: "The camera or microphone is in use by another program.",
    what_to_do: "Close the other call or recording, then press “Try again”.",
  },
  refused: {
    words: "This page may not use the camera and microphone.",
    what_to_do: "Allow both in the browser’s address bar, beside the page’s address, then press “Try again”.",
  },
  insecure: {
    words: "The browser gives camera and microphone only to secure pages.",
    what_to_do: "Open the address that facewire call printed: it begins with http://127.0.0.1.",
  },
  device_gone: {
    words: "The chosen camera or microphone is gone.",
    what_to_do: "Choose another one, or plug it in again and press “Try again”.",
  },
  no_webcodecs: {
    words: "This browser cannot code speech (WebCodecs with Opus).",
    what_to_do: "The call works: sound is coded by facewire instead. For less load, use a current Chrome, Edge or Firefox.",
  },
  old_browser: {
    words: "This browser cannot play or record sound for a call.",
    what_to_do: "It lacks AudioWorklet: picture and chat work. Use a current Chrome, Edge, Firefox or Safari to talk.",
  },
  echo: {
    words: "This microphone’s echo is not cancelled: the other person would hear themselves.",
    what_to_do: "Use headphones, or choose another microphone.",
  },
  token: {
    words: "This page’s address has expired.",
    what_to_do: "Each start of facewire makes a new one. Open the address that facewire call printed last.",
  },
  origin: {
    words: "facewire refused a page from another origin.",
    what_to_do: "Close this page and open the address that facewire call printed, exactly as it stands there.",
  },
  second_page: {
    words: "This call is open in another window.",
    what_to_do: "Go on there, or close it and reload this page.",
  },
  engine_gone: {
    words: "facewire on this machine has stopped.",
    what_to_do: "Run facewire call again; it opens a new page.",
  },
  no_token: {
    words: "This address has no token.",
    what_to_do: "Open the whole address that facewire call printed, to the last letter.",
  },
  picture_file: {
    words: "This file is not a picture the browser can read.",
    what_to_do: "Choose a JPEG, PNG or WebP with one face that looks at the camera.",
  },
});

/** Reasons for which a call ends that a person can do something about; the first that fits counts. */
const ADVICE = [
  [/room\b.* is full|two seats|sits here already/i, "Two people fit in a room. Ask for a new link, or start your own call."],
  [/try again later/i, "The server has no room to spare just now. Wait a little, then run facewire call again."],
  [/expired/i, "Links expire. Ask the other person for a new one."],
  [/token|a link like|room name/i, "Use the whole link, with all that stands after the #, or ask for a new one."],
  [/model|weights|tables|version|format/i, "Both sides need the same facewire: update both, and give --weights on neither or the same on both."],
  [/reach|refused|server|signaling/i, "Check the network and the address of the server, then run facewire call again."],
];

/** What to do after a call ended for this reason; the usual line where nothing special helps. */
export function adviceFor(reason) {
  return ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ?? STATE_WORDS.ended.hint;
}

/** Which problem an error of getUserMedia is. */
export function deviceProblem(error) {
  switch (error?.name) {
    case "NotFoundError":
    case "DevicesNotFoundError":
      return "no_camera";
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "taken";
    case "OverconstrainedError":
      return "device_gone";
    default:
      return "insecure";
  }
}

/** Which problem the end of the WebSocket is, by its close code; null: none that is known. */
export function closeProblem(code) {
  return { 4401: "token", 4403: "origin", 4409: "second_page" }[code] ?? null;
}

/** A state's name as the page knows it, however the engine spells it; null for an unknown one. */
export function stateName(name) {
  const plain = String(name).toLowerCase().replace(/[\s-]+/g, "_");
  return plain in STATE_WORDS ? plain : null;
}

/** How a turned face is described, "12° right, 5° up", or "". */
export function viewWords(yawDeg, pitchDeg) {
  const yaw = Math.round(yawDeg);
  const pitch = Math.round(pitchDeg);
  const parts = [];
  if (yaw !== 0) parts.push(`${Math.abs(yaw)}° ${yaw > 0 ? "right" : "left"}`);
  if (pitch !== 0) parts.push(`${Math.abs(pitch)}° ${pitch > 0 ? "up" : "down"}`);
  return parts.join(", ");
}

/** What the engine says, as a sentence: with a capital and an end. */
export function sentence(words) {
  if (!words) return "";
  const text = words[0].toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
