// What can go wrong when a message is read: codec/FORMAT.md, "Errors".

/** Bytes that are no media message of this version, or not one for these tables. Its message is one line. */
export class WireError extends Error {
  name = "WireError";
}

/**
 * A message whose motion builds on a state that is not held, or that is not the sender's.
 *
 * `reference`: the sequence of the message that left that state. `said`: the message without its motion.
 */
export class MissingReference extends WireError {
  name = "MissingReference";

  constructor(text, reference, said) {
    super(text);
    this.reference = reference;
    this.said = said;
  }
}

/** Tables that do not have the shapes of codec/FORMAT.md, or rows that do not add up. */
export class TablesError extends Error {
  name = "TablesError";
}
