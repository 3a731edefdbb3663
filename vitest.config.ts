import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One summary at the end, whatever was run. The kinds run one after another: two that let the kernel kill
    // processes for their memory would see each other's kills.
    projects: [
      {
        test: {
          name: "unit",
          globalSetup: ["test/setup.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/integration/**", "test/e2e/**"],
          sequence: { groupOrder: 0 },
          testTimeout: 60_000, // a busy machine is no failure
          hookTimeout: 60_000,
        },
      },
      {
        // Real processes, a real Prometheus, a real container engine: one after another, on a machine set up for it.
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/integration/setup.ts"],
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // The shipped images and compose files on a real engine.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/setup.ts"],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
