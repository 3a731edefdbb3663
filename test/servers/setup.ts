// Before the tests of servers: the programs that they start, and the exporter as it is shipped.

import { ensureBuilt } from "../support/built.ts";
import { ensurePrograms } from "../support/packages.ts";

export default function setup(): void {
  if (process.platform !== "linux") throw new Error("These tests need Linux.");
  ensurePrograms();
  ensureBuilt();
}
