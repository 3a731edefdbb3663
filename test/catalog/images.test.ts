// The images of the catalogue, where they are written by hand.

import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { images } from "../../catalog/images.ts";

const read = (file: string) => fs.readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

describe.each(Object.entries(images))("%s", (name, image) => {
  const variable = `${name.toUpperCase()}_IMAGE`;

  test("docker-compose.yml runs the same one unless told otherwise", () => {
    const defaults = [...read("docker-compose.yml").matchAll(new RegExp(`\\$\\{${variable}:-([^}]+)\\}`, "g"))];
    expect(defaults.map(([, found]) => found)).toEqual([image]);
  });

  test("docs/compose.md mirrors the same one", () => {
    const mirrored = [...read("docs/compose.md").matchAll(new RegExp(`^${variable}=(\\S+)$`, "gm"))];
    expect(mirrored.map(([, found]) => found)).toEqual([`mirror.example.org/${image}`]);
  });
});
