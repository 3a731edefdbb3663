import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * Every wait of a project, in milliseconds. None is vitest's own, which a busy machine exceeds: these say after what time nothing
 * will come any more, and no test waits for them.
 */
const waits = (most: number) => ({
  testTimeout: most,
  hookTimeout: most,
  teardownTimeout: most,
  expect: { poll: { timeout: most / 2 } },
});

/** All cores: vitest leaves one to itself, which on a machine of two is half. */
const maxWorkers = availableParallelism();

export default defineConfig({
  test: {
    // One summary at the end, whatever was run. The kinds run one after another, the fast ones first: two that let the kernel kill
    // processes for their memory would see each other's kills. (Order 0 would come last where there is one worker.)
    projects: [
      {
        test: {
          name: "unit",
          globalSetup: ["test/setup.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/servers/**", "test/accuracy/**", "test/integration/**", "test/e2e/**"],
          sequence: { groupOrder: 1 },
          maxWorkers,
          ...waits(60_000),
        },
      },
      {
        // A real Prometheus, a real exporter and services that no other test kills: they wait more than they work, so side by side.
        test: {
          name: "servers",
          include: ["test/servers/**/*.test.ts"],
          globalSetup: ["test/servers/setup.ts"],
          sequence: { groupOrder: 2 },
          maxWorkers: 2 * maxWorkers,
          ...waits(240_000),
        },
      },
      {
        // Real processes and containers, which are killed: one after another, on a machine set up for it.
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/integration/setup.ts"],
          sequence: { groupOrder: 3 },
          fileParallelism: false,
          ...waits(120_000),
        },
      },
      {
        // The shipped images and compose files on a real engine.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          sequence: { groupOrder: 4 },
          fileParallelism: false,
          ...waits(300_000),
        },
      },
    ],
  },
});
