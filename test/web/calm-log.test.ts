import { describe, expect, test } from "vitest";
import { createLogger } from "../../exporter/log.ts";
import { CalmLog } from "../../exporter/web/calm-log.ts";

function started() {
  const clock = { seconds: 1000 };
  const lines: string[] = [];
  const log = createLogger("info", "logfmt", (line) => lines.push(line.replace(/^time=\S+ /, "").trimEnd()));
  return { clock, lines, calm: new CalmLog(log, () => clock.seconds) };
}

describe("CalmLog", () => {
  test("logs a cause once a minute, with the number of times that it did not", () => {
    const { clock, lines, calm } = started();
    for (let i = 0; i < 240; i++, clock.seconds += 0.5) calm.error("EIO", "request failed", { path: `/${i}` });
    clock.seconds += 3600;
    calm.error("EIO", "request failed");
    expect(lines).toEqual([
      'level=error msg="request failed" path=/0',
      'level=error msg="request failed" path=/120 repeated=119',
      'level=error msg="request failed" repeated=119',
    ]);
  });

  test("logs causes apart, each at its level", () => {
    const { lines, calm } = started();
    calm.error("EIO", "one");
    calm.warn("EACCES", "other");
    expect(lines).toEqual(["level=error msg=one", "level=warn msg=other"]);
  });

  test("is bounded when every line has a cause of its own", () => {
    const { clock, lines, calm } = started();
    for (let i = 0; i < 10_000; i++) calm.error(`cause ${i}`, "request failed");
    expect(lines).toHaveLength(100);
    clock.seconds += 61;
    for (let i = 10_000; i < 20_000; i++) calm.error(`cause ${i}`, "request failed");
    expect(lines).toHaveLength(200);
  });
});
