// Before the unit tests: the programs that judge what we write, and the exporter as it is shipped. Everything else they bring along.

import { ensureBuilt } from "./support/built.ts";
import { ensurePrograms } from "./support/packages.ts";

export default function setup(): void {
  ensureBuilt();
  ensurePrograms([
    { program: "promtool", packages: ["prometheus", "promtool"] },
    { program: "openssl", packages: ["openssl"] },
    { program: "groff", packages: ["groff-base"] },
    { program: "bash", packages: ["bash"] },
    { program: "zsh", packages: ["zsh"] },
    { program: "fish", packages: ["fish"] },
  ]);
}
