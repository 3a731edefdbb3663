// The heap limits of watched processes, from what they were started with to the series.

import fs from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { identityRefreshSeconds, MiB, targetReads } from "../../catalog/defaults.ts";
import { fakeMachine, watch } from "../support/machine.ts";

const java = ["/usr/bin/java", "-jar", "/srv/shop.jar"];
const container = "/docker/abc";

/** A machine with one process in a container of 512 MiB, and what is served of its heap. */
async function watched(facts: Parameters<ReturnType<typeof fakeMachine>["start"]>[0]) {
  const machine = fakeMachine();
  machine.cgroup(container, { limit: 512 * MiB });
  const pid = machine.start({ cgroup: container, ...facts });
  const on = watch(machine);
  await on.pass();
  await on.pass();
  const heap = async () => {
    const text = await on.exposition();
    const bytes = /heap_limit_bytes\{.*\} (\S+)/.exec(text)?.[1];
    const [, runtime, source] = /heap_limit_info\{.*runtime="(\w+)",source="(\w+)"\}/.exec(text) ?? [];
    return bytes === undefined ? undefined : [Number(bytes) / MiB, runtime, source];
  };
  return { machine, pid, heap, ...on };
}

test("a share of the container's limit follows that limit", async () => {
  const environment = ["PATH=/bin", "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75"];
  const { machine, pass, heap } = await watched({ argv: java, environment });
  expect(await heap()).toEqual([384, "jvm", "environment"]);
  machine.cgroup(container, { limit: 1024 * MiB });
  await pass();
  expect(await heap()).toEqual([768, "jvm", "environment"]);
});

test("where the environment may not be read, what the arguments set is known, and no default", async () => {
  expect(await (await watched({ argv: ["java", "-Xmx64m", "Main"] })).heap()).toEqual([64, "jvm", "command_line"]);
  expect(await (await watched({ argv: ["java", "Main"] })).heap()).toBeUndefined();
});

test("another program in the same process has limits of its own", async () => {
  const { machine, pid, pass, heap } = await watched({
    argv: ["/usr/bin/node", "a.js"],
    environment: ["NODE_OPTIONS=--max-old-space-size=99"],
  });
  expect(await heap()).toEqual([99, "v8", "environment"]);
  machine.change(pid, { environment: [] });
  machine.exec(pid, ["/usr/bin/node", "--max-old-space-size=50", "b.js"]);
  await pass(2 * identityRefreshSeconds); // by the same name: it is only seen when it is named again
  expect(await heap()).toEqual([50, "v8", "command_line"]);
});

test("of an environment nothing but the limit is kept", async () => {
  const environment = ["SECRET=hunter2", "NODE_OPTIONS=--max-old-space-size=99 --title=hunter2"];
  const { watcher, pid, heap } = await watched({ argv: ["/usr/bin/node", "a.js"], environment });
  expect(await heap()).toEqual([99, "v8", "environment"]);
  const { runtime, identity } = watcher.watched.get(pid) ?? {};
  expect(JSON.stringify({ runtime, identity })).not.toContain("hunter2");
});

test("an environment that holds up its reading is left alone for ten minutes", async () => {
  const machine = fakeMachine();
  const pid = machine.start({ argv: java });
  fs.mkdirSync(`${machine.root}/proc/${pid}/task`); // while one reading is held up, threads are looked at before the next
  const open = machine.files.openOffLoop.bind(machine.files);
  let asked = 0;
  const spy = vi.spyOn(machine.files, "openOffLoop").mockImplementation((file, flags) => {
    if (!file.endsWith("/environ")) return open(file, flags);
    asked++;
    return new Promise(() => undefined);
  });
  onTestFinished(() => spy.mockRestore());
  const { watcher, pass } = watch(machine, { config: { sampleInterval: 60 } });
  await pass();
  for (let seconds = 0; seconds < targetReads.asideSeconds; seconds += 60) await pass(60);
  expect(watcher.watched.get(pid)?.group.name).toBe("shop.jar");
  expect(asked).toBe(1);
  for (let seconds = 0; seconds < 2 * identityRefreshSeconds; seconds += 60) await pass(60);
  expect(asked).toBe(2);
});

test("a .NET program under a name of its own is told by its threads", async () => {
  const machine = fakeMachine();
  machine.cgroup(container, { limit: 512 * MiB });
  const environment = ["DOTNET_RUNNING_IN_CONTAINER=true"];
  for (const [name, thread] of [
    ["shop", ".NET Finalizer"],
    ["sidecar", "sidecar"],
  ] as const) {
    const pid = machine.start({ argv: [`/app/${name}`], cgroup: container, environment });
    fs.mkdirSync(`${machine.root}/proc/${pid}/task/${pid}`, { recursive: true });
    fs.writeFileSync(`${machine.root}/proc/${pid}/task/${pid}/comm`, `${thread}\n`);
  }
  const { pass, exposition } = watch(machine);
  await pass();
  await pass();
  expect((await exposition()).match(/^leakwatch_process_heap_limit.*$/gm)).toEqual([
    `leakwatch_process_heap_limit_bytes{group="shop",slot="0"} ${384 * MiB}`,
    'leakwatch_process_heap_limit_info{group="shop",slot="0",runtime="dotnet",source="default"} 1',
  ]);
});

test("GOMEMLIMIT is that of Go programs alone", async () => {
  const machine = fakeMachine();
  const program = `${machine.root}/server`;
  fs.writeFileSync(program, elfWithNote("Go\0\0"));
  fs.writeFileSync(`${machine.root}/other`, elfWithNote("GNU\0"));
  const environment = ["GOMEMLIMIT=300MiB"];
  machine.start({ argv: ["/app/server"], exe: program, environment });
  machine.start({ argv: ["/app/other"], exe: `${machine.root}/other`, environment });
  machine.start({ argv: ["/app/missing"], environment });
  const { pass, exposition } = watch(machine);
  await pass();
  await pass();
  const series = (await exposition()).match(/^leakwatch_process_heap_limit.*$/gm);
  expect(series?.map((line) => line.replace(/group="[^"]*\/(\w+)"/, 'group="$1"'))).toEqual([
    `leakwatch_process_heap_limit_bytes{group="server",slot="0"} ${300 * MiB}`,
    'leakwatch_process_heap_limit_info{group="server",slot="0",runtime="go",source="environment"} 1',
  ]);
});

/** The head of a program of 64 bits with one segment, a note of type 4. */
function elfWithNote(owner: string): Buffer {
  const [head, segment, note] = [64, 56, 16];
  const file = Buffer.alloc(head + segment + note);
  file.write("7f454c460201", "hex");
  file.writeBigUInt64LE(BigInt(head), 32);
  file.writeUInt16LE(segment, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(4, head); // PT_NOTE
  file.writeBigUInt64LE(BigInt(head + segment), head + 8);
  file.writeBigUInt64LE(BigInt(note), head + 32);
  file.writeUInt32LE(owner.length, head + segment);
  file.writeUInt32LE(4, head + segment + 8);
  file.write(owner, head + segment + 12);
  return file;
}
