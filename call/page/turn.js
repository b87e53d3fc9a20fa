// Drag, or arrow keys, turn the other's face. Plain but for the listeners: Turn holds the angles.

const DEGREES_A_WIDTH = 90; // a drag over the whole picture
const STEP_DEG = 5;
const MOST_YAW_DEG = 60;
const MOST_PITCH_DEG = 40;

const clamp = (value, most) => Math.max(-most, Math.min(most, value));

/** By how much the face is to be turned, in degrees: right and up are positive. */
export class Turn {
  yawDeg = 0;
  pitchDeg = 0;

  /** Turn further by a drag in px over a picture of `width` px. Down the screen is down. */
  drag(dx, dy, width) {
    this.by((dx / width) * DEGREES_A_WIDTH, (-dy / width) * DEGREES_A_WIDTH);
  }

  /** Turn further, within what any model can do; the engine knows its own limits. */
  by(yawDeg, pitchDeg) {
    this.yawDeg = clamp(this.yawDeg + yawDeg, MOST_YAW_DEG);
    this.pitchDeg = clamp(this.pitchDeg + pitchDeg, MOST_PITCH_DEG);
  }

  /** As the other person looks by themselves. */
  reset() {
    this.yawDeg = 0;
    this.pitchDeg = 0;
  }
}

const KEYS = {
  ArrowLeft: [-STEP_DEG, 0],
  ArrowRight: [STEP_DEG, 0],
  ArrowUp: [0, STEP_DEG],
  ArrowDown: [0, -STEP_DEG],
};

/**
 * Turn with mouse, finger and keys on an element.
 *
 * @param {HTMLElement} element
 * @param {(turn: Turn) => void} onTurn told at most once a display frame
 * @returns {Turn}
 */
export function attachTurn(element, onTurn) {
  const turn = new Turn();
  let last = null;
  let waiting = false;
  const tell = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      onTurn(turn);
    });
  };
  const reset = () => {
    turn.reset();
    tell();
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    last = event;
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (last === null || event.pointerId !== last.pointerId) return;
    turn.drag(event.clientX - last.clientX, event.clientY - last.clientY, element.clientWidth);
    last = event;
    tell();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, () => {
      last = null;
    });
  }
  element.addEventListener("dblclick", reset);
  element.addEventListener("keydown", (event) => {
    if (event.key in KEYS) turn.by(...KEYS[event.key]);
    else if (event.key === "Home") turn.reset();
    else return;
    event.preventDefault();
    tell();
  });
  return turn;
}
