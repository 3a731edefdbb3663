// The live memory of the thread that we run in, for a function that is judged in its own process. An inspector's session within the thread opens
// no port.

import v8 from "node:v8";
import type { LiveMemory, NoLiveMemory } from "./live-memory.ts";

/** Collects all garbage, and says what is in use then. */
export async function ownLiveMemory(): Promise<LiveMemory | NoLiveMemory> {
  if (!((await collectByInspector()) || collectByFlag()))
    return { unavailable: "this Node.js has no inspector, and was not started with --expose-gc" };
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    runtime: "node",
    bytes: heapUsed + external,
    heap: heapUsed,
    held: heapTotal + external,
    maximum: v8.getHeapStatistics().heap_size_limit,
    time: Date.now() / 1000,
    isCollected: true,
  };
}

/** More thorough than `gc()`: weak references and compiled code that is not used go too. */
async function collectByInspector(): Promise<boolean> {
  try {
    const { Session } = await import("node:inspector/promises");
    const session = new Session();
    session.connect();
    try {
      await session.post("Runtime.discardConsoleEntries"); // it keeps what was logged, with everything that that shows
      await session.post("HeapProfiler.collectGarbage");
      return true;
    } finally {
      session.disconnect();
    }
  } catch {
    return false; // Node.js can be built without one
  }
}

function collectByFlag(): boolean {
  if (typeof globalThis.gc !== "function") return false;
  globalThis.gc();
  return true;
}
