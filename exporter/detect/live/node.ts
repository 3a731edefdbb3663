// The live memory of a Node.js process: its heap and its buffers, of the main thread and of every worker thread.

import type { KernelFiles } from "../../kernel/files.ts";
import { DevTools, type Session } from "./devtools.ts";
import { type Inspector, openInspector } from "./inspector.ts";
import type { LiveMemory, LiveOptions, LiveSource, LiveTarget, NoLiveMemory } from "./live-memory.ts";

interface ThreadMemory {
  readonly heapUsed: number;
  readonly heapTotal: number;
  /** Memory of buffers and of native objects that the heap's objects own. */
  readonly external: number;
  readonly limit: number;
}

/** `require` is there only during the evaluation, of which nothing outlives the call; an exception stays inside. */
const askMemory = `(() => {
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  const v8 = process.getBuiltinModule?.("v8") ?? require("v8");
  return { heapUsed, heapTotal, external, limit: v8.getHeapStatistics().heap_size_limit };
})()`;

/** After the answer has left. A program whose inspector closes while somebody is connected would wait for him. */
const askToClose = `(() => {
  const inspector = process.getBuiltinModule?.("inspector") ?? require("inspector");
  setTimeout(() => { try { inspector.close(); } catch {} }, 100).unref();
})()`;

export class NodeMemory implements LiveSource {
  private readonly target: LiveTarget;
  private readonly files: KernelFiles;
  private inspector: Inspector | undefined;
  private tools: DevTools | undefined;

  constructor(target: LiveTarget, files: KernelFiles) {
    this.target = target;
    this.files = files;
  }

  async read({ collect }: LiveOptions): Promise<LiveMemory | NoLiveMemory> {
    try {
      const tools = await this.connected();
      const threads: ThreadMemory[] = [];
      for (const session of tools.sessions) {
        const memory = await memoryOf(session, collect);
        if (memory !== undefined) threads.push(memory);
        else if (session === tools) return { unavailable: "its inspector does not say how much memory is in use" };
      }
      const sum = (part: keyof ThreadMemory) => threads.reduce((total, thread) => total + thread[part], 0);
      return {
        runtime: "node",
        bytes: sum("heapUsed") + sum("external"),
        heap: sum("heapUsed"),
        held: sum("heapTotal") + sum("external"),
        maximum: sum("limit"),
        time: Date.now() / 1000,
        isCollected: collect,
      };
    } catch (error) {
      return { unavailable: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    const { tools, inspector } = this;
    this.tools = undefined;
    this.inspector = undefined;
    if (inspector?.isOurs) {
      try {
        await evaluate(tools?.isOpen ? tools : await DevTools.connect(inspector.url), askToClose);
      } catch {
        // it has exited
      }
    }
    tools?.close();
  }

  /** One connection for all readings: Node.js prints a line for each. */
  private async connected(): Promise<DevTools> {
    if (this.tools?.isOpen) return this.tools;
    this.inspector ??= await openInspector(this.files, this.target.pid, this.target);
    this.tools = await DevTools.connect(this.inspector.url);
    return this.tools;
  }
}

/** Undefined for a worker thread that has ended meanwhile, and for a program that has made `process` something else. */
async function memoryOf(session: Session, collect: boolean): Promise<ThreadMemory | undefined> {
  try {
    if (collect) {
      // an inspector keeps the last thousand messages of the console for who connects, with everything that they show
      await session.send("Runtime.discardConsoleEntries");
      await session.send("HeapProfiler.collectGarbage");
    }
    const memory = (await evaluate(session, askMemory)) as ThreadMemory | undefined;
    const isSaid = [memory?.heapUsed, memory?.heapTotal, memory?.external, memory?.limit].every(Number.isFinite);
    return isSaid ? memory : undefined;
  } catch {
    return undefined;
  }
}

async function evaluate(session: Session, expression: string): Promise<unknown> {
  const answer = await session.send("Runtime.evaluate", {
    expression,
    includeCommandLineAPI: true,
    returnByValue: true,
  });
  return (answer["result"] as { value?: unknown } | undefined)?.value;
}
