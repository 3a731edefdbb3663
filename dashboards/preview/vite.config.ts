// The page, and beside it the boards and the Prometheus that it asks.

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: "page",
  logLevel: "warn",
  plugins: [react()],
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}", global: "globalThis" },
  resolve: { dedupe: ["react", "react-dom", "@emotion/react"] },
  build: { outDir: "../dist", emptyOutDir: true, target: "esnext", minify: false, chunkSizeWarningLimit: 100_000 },
});
