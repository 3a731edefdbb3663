import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One summary at the end, whatever was run.
    projects: [
      {
        test: {
          name: "unit",
          globalSetup: ["test/setup.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/integration/**", "test/e2e/**"],
        },
      },
      {
        // Real processes, a real Prometheus, a real container engine: one after another, on a machine set up for it.
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/integration/setup.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
