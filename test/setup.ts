// Before the unit tests: the two programs that judge what we write. Everything else they bring along.

import { ensurePrograms } from "./support/packages.ts";

export default function setup(): void {
  ensurePrograms([
    { program: "promtool", packages: ["prometheus", "promtool"] },
    { program: "openssl", packages: ["openssl"] },
  ]);
}
