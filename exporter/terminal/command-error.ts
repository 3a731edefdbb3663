/** A command cannot go on; the message is for the user. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  /** 2 for what the user gave, 1 for what a program or server refused. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
