// The version, from package.json; the revision, where the build wrote it into the environment.

import { readFileSync } from "node:fs";

function readVersion(): string {
  // beside the sources, and one folder further up from the compiled code in dist/
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (name === "leakwatch") return version;
    } catch {
      // not there: the next place
    }
  }
  return "unknown";
}

export const version = readVersion();
export const revision = process.env["LEAKWATCH_REVISION"] ?? "unknown";
