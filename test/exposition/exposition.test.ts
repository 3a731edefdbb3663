import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Exposition, Expositions } from "../../exporter/exposition/exposition.ts";

function render(expositions: Expositions, text: string): Exposition {
  const exposition = expositions.next();
  exposition.buffer.text(text);
  return exposition;
}

describe("Expositions", () => {
  test("uses the memory of a body again that nobody holds any more", () => {
    const expositions = new Expositions();
    const first = render(expositions, "first");
    first.hold();
    first.release();
    const second = render(expositions, "2nd");
    expect(second.buffer).toBe(first.buffer);
    expect(second.hold().toString()).toBe("2nd");
  });

  test("never writes over a body that is still being sent", () => {
    const expositions = new Expositions();
    const body = render(expositions, "first").hold();
    for (const text of ["second", "third", "fourth"]) render(expositions, text);
    expect(body.toString()).toBe("first");
  });

  test("waits for the last of several holders", () => {
    const expositions = new Expositions();
    const first = render(expositions, "first");
    const body = first.hold();
    first.hold();
    first.release();
    expect(first.inUse).toBe(true);
    render(expositions, "second");
    expect(body.toString()).toBe("first");
  });

  test("never writes over a body that is being compressed", async () => {
    const expositions = new Expositions();
    const first = render(expositions, "first ".repeat(10_000));
    const compressed = first.gzipped();
    render(expositions, "second");
    expect(zlib.gunzipSync(await compressed).toString()).toBe("first ".repeat(10_000));
    expect(first.inUse).toBe(false);
  });
});

describe("gzipped", () => {
  test("compresses once for all who ask", async () => {
    const exposition = render(new Expositions(), "text ".repeat(1000));
    const [one, other] = await Promise.all([exposition.gzipped(), exposition.gzipped()]);
    expect(one).toBe(other);
    expect(one.length).toBeLessThan(500);
  });

  test("stays valid when its text is written over", async () => {
    const expositions = new Expositions();
    const compressed = await render(expositions, "first").gzipped();
    render(expositions, "second");
    expect(zlib.gunzipSync(compressed).toString()).toBe("first");
  });
});
