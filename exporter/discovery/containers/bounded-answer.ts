// One answer over HTTP, bounded in size and in time: an engine or a proxy that hangs, or answers without end, holds up nothing.

import type { ClientRequest, IncomingMessage } from "node:http";

/** A list of 250 pods, more than a node may have, is 5 MB at most; more is not read. */
export const largestAnswer = 32 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The answer was not what was asked for. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  /** As for files, so that failures are counted alike. */
  readonly code: string | undefined;

  constructor(message: string, options: { code?: string } = {}) {
    super(message);
    this.code = options.code;
  }
}

/** Sends a request that `open` makes. Throws AnswerError, or the connection's own error. `seconds` are those of the whole. */
export async function askWithin(
  open: (signal: AbortSignal, onAnswer: (response: IncomingMessage) => void) => ClientRequest,
  { seconds, server, mostBytes = largestAnswer }: { seconds: number; server: string; mostBytes?: number },
): Promise<Answer> {
  const deadline = AbortSignal.timeout(seconds * 1000);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      open(deadline, resolve).on("error", reject).end();
    });
    return { status: response.statusCode ?? 0, body: await bodyOf(response, mostBytes, server) };
  } catch (error) {
    if (deadline.aborted) throw new AnswerError(`${server} did not answer within ${seconds} s`);
    throw error;
  }
}

/** Leaving the loop closes the connection. */
async function bodyOf(response: IncomingMessage, mostBytes: number, server: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) throw new AnswerError(`the answer of ${server} is larger than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
