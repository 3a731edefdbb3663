// Progress on standard error, only where a person looks at it.

const width = 30;

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
    const filled = Math.round((done / total) * width);
    stream.write(`\r${"█".repeat(filled)}${"░".repeat(width - filled)} ${done} of ${total} ${what}`);
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

/** One line that is written over at most once a second. */
export function statusLine(stream: NodeJS.WriteStream = process.stderr) {
  let drawn: number | undefined;
  return {
    draw(text: () => string): void {
      if (!stream.isTTY || (drawn !== undefined && performance.now() - drawn < 1000)) return;
      drawn = performance.now();
      stream.write(clearLine + text());
    },
    clear(): void {
      if (drawn !== undefined) stream.write(clearLine);
    },
  };
}
