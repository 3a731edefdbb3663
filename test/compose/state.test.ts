// Where exporters in containers keep what they know over their restarts.

import fs from "node:fs";
import { load, YAML11_SCHEMA } from "js-yaml";
import { describe, expect, test } from "vitest";

const text = (file: string) => fs.readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

interface File {
  services: { exporter: { command: string[]; volumes?: string[]; extends?: { file: string } } };
  volumes?: Record<string, unknown>;
}

const read = (file: string) => load(text(file), { schema: YAML11_SCHEMA }) as File;
const folderOf = ({ services }: File) =>
  services.exporter.command.flatMap((argument) => /^--storage\.path=(.+)/.exec(argument)?.[1] ?? [])[0];

describe.each(["docker-compose.yml", "compose/sidecar.yml", "compose/host.yml"])("%s", (name) => {
  const file = read(name);

  test("keeps the exporter's state in a volume of its own", () => {
    // the sidecar takes its volumes over, but not their declaration
    const { volumes } = file.services.exporter.extends
      ? read("docker-compose.yml").services.exporter
      : file.services.exporter;
    expect(volumes).toContain(`exporter:${folderOf(file)}`);
    expect(Object.keys(file.volumes ?? {})).toContain("exporter");
  });

  test("in a folder that the image has, so that a new volume is writable for any user", () => {
    expect(text("Dockerfile")).toMatch(new RegExp(`^RUN mkdir -p -m 0777 ${folderOf(file)}$`, "m"));
  });
});

test("with the engine's socket the state stays where it was", () => {
  expect(folderOf(read("compose/host-names.yml"))).toBe(folderOf(read("compose/host.yml")));
});

test("the image has every folder that is compiled", () => {
  const copied = [...text("Dockerfile").matchAll(/^COPY (\w+) \1$/gm)].map(([, folder]) => folder);
  const imported = new Set<string>();
  for (const folder of copied) {
    for (const file of fs.readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true }) as string[]) {
      if (!file.endsWith(".ts") || (folder === "alerts" && file.startsWith("tests"))) continue;
      const depth = file.split("/").length;
      for (const [, up = "", to] of text(`${folder}/${file}`).matchAll(/from "((?:\.\.\/)+)(\w+)\//g))
        if (up.length / 3 === depth) imported.add(to as string);
    }
  }
  expect(copied).toEqual(expect.arrayContaining([...imported]));
});
