// How often the answers are right, on real programs: a measurement of minutes, apart from the tests. `npm run accuracy`.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const most = 900_000;

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["test/accuracy/**/*.test.ts"],
    globalSetup: ["test/servers/setup.ts"],
    testTimeout: most,
    hookTimeout: most,
    teardownTimeout: most,
  },
});
