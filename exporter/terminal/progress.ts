// Progress on standard error. Bars are for terminals only.

const width = 30;

/** A line that the terminal breaks cannot be written over. */
const lineLength = ({ columns }: NodeJS.WriteStream): number => (columns > 0 ? columns : 80) - 1;

const clearLine = "\r\u001b[K";

export interface Progress {
  advance(): void;
  end(): void;
}

/** Redrawn in place, at most ten times a second. */
export function progressBar(what: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY || total < 2) return { advance: () => undefined, end: () => undefined };
  let done = 0;
  let drawn = 0;
  const draw = () => {
    const text = ` ${done} of ${total} ${what}`;
    const bar = Math.max(0, Math.min(width, lineLength(stream) - text.length));
    const filled = Math.round((done / total) * bar);
    stream.write(`\r${"█".repeat(filled)}${"░".repeat(bar - filled)}${text}`);
  };
  return {
    advance() {
      done++;
      if (performance.now() - drawn < 100) return;
      drawn = performance.now();
      draw();
    },
    end() {
      stream.write(clearLine); // the bar has served
    },
  };
}

/** Without a terminal one line so often, in milliseconds: a log must show that something goes on, and what. */
const lineEvery = 60_000;

/** One line that is written over once a second at a terminal, and else a new line every minute. */
export function statusLine(stream: NodeJS.WriteStream = process.stderr, now: () => number = () => performance.now()) {
  const every = stream.isTTY ? 1000 : lineEvery;
  let drawn = stream.isTTY ? Number.NEGATIVE_INFINITY : now();
  return {
    draw(text: () => string): void {
      if (now() - drawn < every) return;
      drawn = now();
      stream.write(stream.isTTY ? clearLine + text().slice(0, lineLength(stream)) : `${text()}\n`);
    },
    clear(): void {
      if (stream.isTTY && Number.isFinite(drawn)) stream.write(clearLine);
    },
  };
}
