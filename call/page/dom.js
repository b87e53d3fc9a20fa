// The smallest things that every part of the page does with elements.

/** The element with this id; a missing one is a mistake in the page, said at once. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`expected an element #${id} in the page`);
  return element;
}

/** Show or hide. */
export function show(element, visible) {
  element.hidden = !visible;
}

/** Copy text and say so on the button for a moment. */
export async function copy(text, button) {
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C"; // no permission: the text is selected beside the button
  }
  setTimeout(() => {
    button.textContent = words;
  }, 1600);
}

/** What this browser remembers; nothing where it may not. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`facewire.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`facewire.${key}`, value);
    } catch {
      // private window or full: asked again next time
    }
  },
};
