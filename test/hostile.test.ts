// Ten thousand forged targets: names, arguments, files, links, sizes and counters as their owners like them. None of them may stop the
// exporter, end it, make it large, or convict anybody else. FUZZ_SEED repeats a run.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { KiB, MiB, sizes } from "../catalog/defaults.ts";
import { decodeConfig } from "../exporter/config/config.ts";
import { groupStatuses } from "../exporter/web/status.ts";
import { seriesOf } from "./exposition/series.ts";
import { type FakeMachine, fakeMachine, MachineFiles, watch } from "./support/machine.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_128);
const [rounds, targetsInRound] = [20, 500];
const honest = 5;

/** Of the main thread, in milliseconds of its own CPU time: what else the machine does is no hang. */
const longestTurn = 100;

/** mulberry32 */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Files of a machine that look at devices as those of a real one do. */
class StrictFiles extends MachineFiles {
  override readonly isCopy: boolean = false;
}

class Forger {
  private readonly machine: FakeMachine;
  private readonly random: () => number;
  private readonly device: string;
  private readonly fifo: string;
  /** Of those whose root holds no links: nothing may be written through one. */
  private readonly folders = new Map<number, string>();

  constructor(machine: FakeMachine, random: () => number) {
    this.machine = machine;
    this.random = random;
    const { dev } = fs.statSync(machine.root);
    this.device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
    this.fifo = machine.path("fifo");
    execFileSync("mkfifo", [this.fifo]);
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  number(): string {
    return this.pick(
      "0",
      "1",
      "max",
      "-1",
      "300000000",
      "18446744073709551615",
      "9".repeat(40),
      "NaN",
      "1e309",
      "",
      "\0",
      "0x10",
    );
  }

  /** Bytes that somebody might put into a name. */
  text(longest: number): string {
    const unit = this.pick(
      "a",
      "\0",
      "\n",
      "\u001b[31m",
      "\u202e",
      '"',
      "\\",
      "</script>",
      "é",
      "\ud83d\ude00",
      "\u0085",
      "$&",
      "{}",
      "%",
      " ",
      "=",
      ":",
    );
    return unit.repeat(Math.ceil((this.random() * longest) / unit.length)).slice(0, longest);
  }

  argv(): string[] {
    const secret = this.pick(
      ["--password=hunter2"],
      ["--token", "hunter2"],
      ["postgres://u:hunter2@h/db"],
      ["AWS_SECRET_ACCESS_KEY=hunter2"],
    );
    return this.pick<() => string[]>(
      () => [this.text(200)],
      () => ["node", ...Array.from({ length: Math.floor(this.random() * 20) }, () => this.text(100))],
      () => ["/bin/app", this.text(130 * KiB)],
      () => Array.from({ length: 3000 }, () => ""),
      () => ["java", "-cp", this.text(40 * KiB), ...secret, "Main"],
      () => ["mysql", ...secret, "-phunter2", "x.js"],
      () => [`worker: ${secret.join(" ")} 3`],
      () => [this.pick("node", "python3", "bash", "php"), ...secret],
      () => [],
    )();
  }

  /** Something in place of a file of the kernel's. */
  forge(file: string): void {
    const at = this.machine.path(file);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    fs.rmSync(at, { recursive: true, force: true });
    this.pick<() => void>(
      () => fs.writeFileSync(at, `${this.number()}\n`),
      () => fs.writeFileSync(at, `oom_kill ${this.number()}\noom ${this.number()}\nmax 1\n`),
      () => fs.writeFileSync(at, `oom_kill ${Math.floor(this.random() * 3e8)}\n`),
      () => fs.writeFileSync(at, `anon ${this.number()}\nfile ${this.number()}\ninactive_file ${this.number()}\n`),
      () => fs.writeFileSync(at, this.text(40 * KiB)),
      () => fs.linkSync(this.fifo, at),
      () => fs.mkdirSync(at),
      () => fs.symlinkSync(this.pick("/dev/zero", "/etc/shadow", at, this.fifo, "/proc/self/mem", "nowhere"), at),
      () => {
        fs.writeFileSync(at, "");
        fs.truncateSync(at, 10 * 2 ** 30);
      },
    )();
  }

  /** A process with its own idea of where its cgroup is and what it holds. */
  start(): number {
    const cgroup = `/${this.pick("pod", "a".repeat(200), "\u001b[2J", "docker", "x/../..", "deep/".repeat(40))}${Math.floor(this.random() * 1e6)}`;
    const pid = this.machine.start({
      argv: this.argv(),
      exe: `/opt/${this.text(20).replace(/[\0/]/g, "_")}`,
      comm: this.text(15),
      cgroup,
    });
    this.forgeMounts(pid, cgroup);
    return pid;
  }

  private forgeMounts(pid: number, cgroup: string): void {
    const mount = this.pick("/sys/fs/cgroup", "/", "/tmp/x", "/sys/fs/cgroup/../..", "/\u202e");
    const type = this.pick("cgroup2", "cgroup2", "cgroup2", "cgroup", "fuse.cgroup2", "tmpfs");
    const device = this.pick(this.device, this.device, this.device, "0:999", "", "x:y");
    const lines = [`22 21 ${device} ${this.pick("/", "/", "/../..", cgroup)} ${mount} rw - ${type} cgroup2 rw,memory`];
    if (this.random() < 0.2) lines.push(`23 22 0:40 / ${mount} rw - tmpfs t rw`);
    if (this.random() < 0.05)
      lines.push(...Array.from({ length: 20_000 }, (_, i) => `${i} 22 0:40 / /m/${i} rw - tmpfs t rw`));
    this.machine.write(`proc/${pid}/mountinfo`, this.random() < 0.05 ? this.text(64 * KiB) : `${lines.join("\n")}\n`);
    const folder = path.posix.join(`proc/${pid}/root`, mount, cgroup.replaceAll("\0", ""));
    if (!folder.startsWith(`proc/${pid}/root`) || folder.length > 3000) return;
    if (this.random() < 0.1) {
      fs.mkdirSync(this.machine.path(`proc/${pid}/root`), { recursive: true });
      fs.symlinkSync(this.pick("/", "/proc/self", "."), this.machine.path(`proc/${pid}/root/sys`));
      return;
    }
    this.folders.set(pid, folder);
    for (const name of ["memory.stat", "memory.current", "memory.max", "memory.events", "memory.peak", "pids.max"]) {
      if (this.random() < 0.8) this.forge(`${folder}/${name}`);
    }
    // most of them look well enough for the others to be read
    if (this.random() < 0.7) {
      fs.rmSync(this.machine.path(`${folder}/memory.stat`), { recursive: true, force: true });
      this.machine.write(`${folder}/memory.stat`, `anon ${this.number()}\nfile 1\nkernel 1\ninactive_file 0\n`);
    }
  }

  /** Between two passes each may change what it shows, and become another. */
  change(pid: number): void {
    if (this.random() < 0.3) this.machine.write(`proc/${pid}/cmdline`, this.text(1000));
    const folder = this.folders.get(pid);
    if (folder !== undefined && this.random() < 0.5) this.forge(`${folder}/memory.events`);
  }
}

/** Runs the work, and returns the longest stretch of the main thread's CPU time between two turns of the event loop, in milliseconds. */
async function longestStretch(work: () => Promise<void>): Promise<number> {
  let [isOver, longest] = [false, 0];
  const cpu = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const working = work().finally(() => {
    isOver = true;
  });
  for (let last = cpu(); !isOver; ) {
    await nextTurn();
    const now = cpu();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await working;
  return longest;
}

describe(`10,000 forged targets (FUZZ_SEED=${seed})`, () => {
  test("stop nothing, show no secret, fill nothing, and convict nobody else", { timeout: 600_000 }, async () => {
    const random = randomFrom(seed);
    const machine = fakeMachine({ cgroups: "not mounted" });
    const config = decodeConfig(
      {
        groups: [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration's own notation
          { name: "${all}", match: { cmdline: "(?:mysql|java) (?<all>.*)" } },
          { name: "evil", match: { cmdline: "(?:(?:a|a)*)*b" } },
        ],
      },
      [],
    );
    const { watcher, pass, exposition, logged, restarts } = watch(machine, {
      config,
      files: new StrictFiles(machine.root),
    });
    const forger = new Forger(machine, random);
    const servers = Array.from({ length: honest }, (_, i) => `server-${i}`);
    const start = (name: string) => machine.start({ argv: [`/srv/${name}`], exe: `/srv/${name}`, resident: 20 * MiB });
    const pids = new Map(servers.map((name) => [name, start(name)]));
    let longest = 0;
    for (let round = 0; round < rounds; round++) {
      const forged = Array.from({ length: targetsInRound }, () => forger.start());
      longest = Math.max(longest, await longestStretch(() => pass()));
      for (const pid of forged) forger.change(pid);
      // a kill somewhere on the machine, while an honest service is restarted and half of the forged ones end
      machine.countOomKillElsewhere();
      const restarted = servers[round % honest] as string;
      machine.stop(pids.get(restarted) as number);
      for (const pid of forged.slice(0, targetsInRound / 2)) machine.stop(pid);
      longest = Math.max(longest, await longestStretch(() => pass(15)));
      pids.set(restarted, start(restarted));
      longest = Math.max(longest, await longestStretch(() => pass(15 + 60 * random()))); // no beat of a timer
      const text = await exposition();
      expect(() => seriesOf(text)).not.toThrow();
      expect(text).not.toMatch(/hunter2|root:/);
      expect(text.length).toBeLessThan(
        watcher.watched.size * sizes.expositionOfProcess +
          100 * sizes.expositionOfProcess +
          2 ** 20 +
          watcher.groups.size * 8 * KiB,
      );
      for (const pid of forged.slice(targetsInRound / 2)) machine.stop(pid);
    }
    for (const name of servers) {
      expect(restarts(name)).toEqual({ exit: rounds / honest });
      expect(watcher.ledger.account(name).oomKills).toBe(0);
    }
    const api = JSON.stringify(
      groupStatuses({ watcher, secondsSinceBoot: () => 0, unixTimeAt: (at: number) => at } as Parameters<
        typeof groupStatuses
      >[0]),
    );
    expect(api + logged.join("")).not.toMatch(/hunter2|root:/);
    expect(logged.join("").replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(watcher.passes).toBe(3 * rounds);
    expect(longest).toBeLessThan(longestTurn);
  });
});
