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

describe("a text that is held too long", () => {
  /** Renders so many texts, each held by a client that never reads. Returns them, and the numbers of those dropped. */
  function heldByMany(count: number, expositions = new Expositions(4)) {
    const dropped: number[] = [];
    const held = Array.from({ length: count }, (_, i) => {
      const exposition = render(expositions, `text ${i}`);
      const body = exposition.hold(() => dropped.push(i));
      return { exposition, body };
    });
    return { expositions, held, dropped };
  }

  test("is dropped, the oldest first, when one more is needed", () => {
    expect(heldByMany(4).dropped).toEqual([]);
    expect(heldByMany(7).dropped).toEqual([0, 1, 2]);
  });

  test("is dropped by all who hold it", () => {
    const expositions = new Expositions(1);
    const first = render(expositions, "first");
    const dropped: string[] = [];
    first.hold(() => dropped.push("one"));
    first.hold(() => dropped.push("other"));
    render(expositions, "second");
    expect(dropped).toEqual(["one", "other"]);
  });

  test("is never written over, since its holders need a moment to let go", () => {
    const { expositions, held } = heldByMany(20);
    render(expositions, "more");
    expect(held.map(({ body }) => body.toString())).toEqual(held.map((_, i) => `text ${i}`));
  });

  test("of several holders stays with the others when one lets go", () => {
    const [drops, dropped]: [(() => void)[], string[]] = [[], []];
    const exposition = render(new Expositions(1), "first");
    for (const name of ["one", "other"]) {
      const drop = () => void dropped.push(name);
      drops.push(drop);
      exposition.hold(drop);
    }
    exposition.release(drops[0]);
    exposition.release(drops[0]); // a second time
    expect(exposition.inUse).toBe(true);
    exposition.drop();
    expect(dropped).toEqual(["other"]);
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
