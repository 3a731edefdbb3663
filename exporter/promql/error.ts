/** An expression that cannot be read or evaluated here; the message names the place. */
export class PromqlError extends Error {
  override readonly name = "PromqlError";
}
