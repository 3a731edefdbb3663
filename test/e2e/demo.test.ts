// The demo's services do what demo/README.md says of them, side by side: most of their time they wait. Whether leakwatch says the same
// is tested elsewhere.

import fs from "node:fs";
import { describe, expect, inject, type TestContext, test } from "vitest";
import { KiB, MiB } from "../../catalog/defaults.ts";
import { Container } from "../support/container.ts";
import { parseScrape } from "../support/scrape.ts";
import { until } from "./until.ts";

const memory = (limit: string) => [`--memory=${limit}`, `--memory-swap=${limit}`];

class Service extends Container {
  /** Address and process id cost a question to the engine; neither changes before it is started again. */
  private known: { url: string; pid: number } | undefined;

  constructor(context: TestContext, name: string, settings: Record<string, string> = {}, ...options: string[]) {
    const env = Object.entries(settings).map(([key, value]) => `--env=${key}=${value}`);
    const isPython = name.endsWith(".py");
    super(
      ["--read-only", "--cap-drop=ALL", "--publish=127.0.0.1::8080", ...memory("256m"), ...env, ...options],
      [isPython ? "python3" : "node", name],
      isPython ? inject("builtImages").TIMINGS_IMAGE : inject("builtImages").DEMO_IMAGE,
      context.onTestFinished,
    );
  }

  async isUp(): Promise<void> {
    await until("it answers", async () => {
      try {
        this.known = { url: `http://${this.address(8080)}`, pid: this.pid };
        return (await this.get("/healthz")) === "ok\n";
      } catch {
        return false; // not yet, or between two lives
      }
    });
  }

  async get(page: string): Promise<string> {
    return await (await fetch(`${this.known?.url}${page}`)).text();
  }

  async metric(name: string): Promise<number> {
    return parseScrape(await this.get("/metrics")).value(name) ?? Number.NaN;
  }

  /** What it says that it holds. */
  retained(): Promise<number> {
    return this.metric("demo_retained_bytes");
  }

  /** What no file backs: the memory that leaks are made of, as the kernel counts it. */
  anonymousMemory(): number {
    const status = fs.readFileSync(`/proc/${this.known?.pid}/status`, "utf8");
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * KiB;
  }

  openFiles(): number {
    return fs.readdirSync(`/proc/${this.known?.pid}/fd`).length;
  }
}

describe.concurrent("leaks", () => {
  test.for(["unbounded-cache.js", "listener-leak.js", "buffer-leak.js"])(
    "%s grows without a request",
    async (name, context) => {
      const service = new Service(context, name, { DEMO_SPEED: "600" }); // 5 MiB a second
      await service.isUp();
      const [before, said] = [service.anonymousMemory(), await service.retained()];
      await until("it has taken 25 MiB more", async () => (await service.retained()) - said >= 25 * MiB);
      // what it says is what the kernel sees, but for what the garbage collector has yet to tidy
      expect(service.anonymousMemory() - before).toBeGreaterThan(20 * MiB);
      expect(await service.metric("demo_requests_total")).toBe(0);
    },
  );

  test.for(["request-leak.js", "app.py"])(
    "%s keeps 64 KiB of each request, and nothing without",
    async (name, context) => {
      const service = new Service(context, name, { DEMO_SPEED: "64" });
      await service.isUp();
      expect(await service.retained()).toBe(0);
      for (let i = 0; i < 20; i++) expect(await service.get("/work")).toBe("done\n");
      const before = service.anonymousMemory();
      for (let i = 0; i < 300; i++) await service.get("/work");
      expect(await service.metric("demo_requests_total")).toBe(320);
      expect(await service.retained()).toBe(320 * 64 * KiB);
      expect(service.anonymousMemory() - before).toBeGreaterThan(15 * MiB); // of 18.75
    },
  );

  test("fd-leak.js opens files until no more may be opened, and ends", async (context) => {
    const service = new Service(context, "fd-leak.js", { DEMO_SPEED: "150" }, "--ulimit=nofile=100:100"); // 5 a second
    await service.isUp();
    const before = service.openFiles();
    await until("it has ten more files open", () => service.openFiles() >= before + 10);
    await until("it ends", () => service.inspect("{{.State.Status}}") === "exited");
    expect(service.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}")).toBe("1 false");
    expect(service.log()).toContain("EMFILE");
  });

  test("timed-restart.js leaks, ends by itself on time, and is started again", async (context) => {
    // lives of six seconds: the engine waits ever longer before it starts what ended at once
    const service = new Service(
      context,
      "timed-restart.js",
      { DEMO_SPEED: "600", RESTART_MINUTES: "60" },
      "--restart=always",
    );
    for (const restarts of [0, 1]) {
      await until(`restart ${restarts}`, () => Number(service.inspect("{{.RestartCount}}")) >= restarts);
      await service.isUp();
      await until("it leaks", async () => (await service.retained().catch(() => 0)) > 5 * MiB);
    }
    expect(service.inspect("{{.State.OOMKilled}}")).toBe("false");
    expect(service.log()).toContain("ends after 60 minutes, as the schedule says");
  });

  test.for(["oom-loop.js", "unbounded-cache.js"])("%s is killed by the kernel at its limit", async (name, context) => {
    const service = new Service(context, name, { DEMO_SPEED: "600", LEAK_MIB_PER_MINUTE: "4" }, ...memory("96m"));
    await until("it ends", () => service.inspect("{{.State.Status}}") === "exited");
    expect(service.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}")).toBe("137 true");
    expect(service.log()).not.toContain("heap out of memory"); // V8's own limit would be another story
  });
});

describe.concurrent("what looks like a leak and is none", () => {
  test("bounded-cache.js grows until it is full", async (context) => {
    const service = new Service(context, "bounded-cache.js", {
      DEMO_SPEED: "600",
      FILL_MIB_PER_MINUTE: "6",
      CACHE_MIB: "24",
    });
    await service.isUp();
    await until("it is full", async () => (await service.retained()) === 24 * MiB);
    let most = 0;
    let looks = 0;
    await until("five seconds are over: 60 MiB come and go in each", async () => {
      most = Math.max(most, service.anonymousMemory());
      expect(await service.retained()).toBe(24 * MiB);
      return ++looks >= 25;
    });
    expect(most).toBeLessThan(180 * MiB); // entries that have left and are not yet tidied away count as well
  });

  test("warm-up.js grows to its size, and then no more", async (context) => {
    const service = new Service(context, "warm-up.js", { DEMO_SPEED: "600" }); // two seconds
    await service.isUp();
    await until("it is warm", async () => (await service.retained()) === 64 * MiB);
    const warm = service.anonymousMemory();
    expect(warm).toBeGreaterThan(64 * MiB);
    let looks = 0;
    await until("three seconds are over", () => ++looks >= 15);
    expect(await service.retained()).toBe(64 * MiB);
    expect(service.anonymousMemory() - warm).toBeLessThan(10 * MiB);
  });

  test("batch-spikes.js gives everything back after each batch", async (context) => {
    const service = new Service(context, "batch-spikes.js", { DEMO_SPEED: "600" }); // a batch every three seconds
    await service.isUp();
    for (const batch of ["first", "second"]) {
      await until(`the ${batch} batch runs`, () => service.anonymousMemory() > 70 * MiB);
      await until(`the ${batch} batch is over`, () => service.anonymousMemory() < 40 * MiB);
    }
  });
});

test.concurrent.for(["unbounded-cache.js", "app.py"])("%s stops at once when told", async (name, context) => {
  const service = new Service(context, name, {}, "--health-interval=1s");
  await service.isUp();
  await until("its health check succeeds", () => service.inspect("{{.State.Health.Status}}") === "healthy");
  service.stop();
  expect(service.inspect("{{.State.ExitCode}}")).toBe("0");
});

test.concurrent("a setting that is no number ends a service with a sentence", async (context) => {
  const service = new Service(context, "unbounded-cache.js", { DEMO_SPEED: "fast" });
  await until("it ends", () => service.inspect("{{.State.Status}}") === "exited");
  expect(service.log()).toBe('DEMO_SPEED must be a positive number, not "fast"\n');
});
