// What the facts of this machine mean. One check is one question; none of them touches a file.

import { ledger } from "../../catalog/defaults.ts";
import type { FailureReason } from "../kernel/files.ts";
import type { LimitSource } from "../model/life.ts";
import { humanBytes, humanShare } from "../text/human.ts";
import { counted, listed, processes, share, someOf, tally } from "../text/words.ts";
import { type Answer, type Check, failure, ok, type Section, unknown, warning } from "./finding.ts";
import type { MachineFacts, SeenCgroup, SeenProcess, WatchedProcess } from "./machine.ts";

type MachineCheck = Check<MachineFacts>;

const shareNamespace =
  "Share the PID namespace of what you want to watch: shareProcessNamespace: true in a pod, hostPID: true in a DaemonSet, " +
  'pid: "service:pidns" in compose, --pid=host for a whole host.';

const processesSeen: MachineCheck = {
  id: "processes.seen",
  question: "Are there processes to watch?",
  answer({ processes: all, kernelThreads, zombies }) {
    const targets = all.filter(isTarget);
    if (targets.length === 0) {
      return failure("No process can be seen but leakwatch's own, so there is nothing to watch.", shareNamespace);
    }
    const kinds = [
      counted(kernelThreads, "kernel thread"),
      ...(zombies === 0 ? [] : [`${zombies} ended but not reaped`]),
    ];
    const names = tally(targets.map(({ name }) => name));
    const besides = kernelThreads + zombies === 0 ? "" : ` Not counted: ${listed(kinds)}.`;
    return ok(`${processes(targets.length)} can be seen: ${someOf(names)}.${besides}`, names);
  },
};

const processesWatched: MachineCheck = {
  id: "processes.watched",
  question: "Are they watched, or does the configuration leave them out?",
  answer({ processes: all, unmatched }) {
    const targets = all.filter(isTarget);
    if (targets.length === 0) return undefined;
    const watched = watchedOf(all);
    const groups = tally(watched.map(({ group }) => group));
    if (watched.length === 0) {
      return failure(
        "None of them is watched: the configuration leaves all of them out.",
        unmatched === "ignore"
          ? "Give a rule in `groups` that fits a process, or set `unmatched: watch`."
          : "Narrow the entries of `ignore`.",
      );
    }
    const left = targets.length - watched.length;
    const rest = left === 0 ? "" : ` The configuration leaves out ${left}.`;
    return ok(
      `${capitalized(share(watched.length, targets.length))} ${be(watched)} watched, in ${counted(groups.length, "group")}.${rest}`,
      groups,
    );
  },
};

const processesNamed: MachineCheck = {
  id: "processes.named",
  question: "Can the path of their program be read?",
  answer({ processes: all, rulesNeedRights }) {
    const targets = all.filter(isTarget);
    const nameless = targets.filter(({ showsProgram }) => !showsProgram);
    if (targets.length === 0) return undefined;
    if (nameless.length === 0) return ok(`The program of ${share(targets.length, targets.length)} is known.`);
    const sentence = `${capitalized(share(nameless.length, targets.length))} ${be(nameless)} named by arguments only: the path of the program may not be read.`;
    const names = tally(nameless.map(({ name }) => name));
    if (!rulesNeedRights) return ok(sentence, names);
    return warning(
      `${sentence} Rules with \`exe\` or \`port\` do not fit them.`,
      `Match on \`name\` or \`cmdline\`, or ${rightsFor(nameless)}.`,
      names,
    );
  },
};

const hidden: MachineCheck = {
  id: "processes.hidden",
  question: "Does the procfs mount hide processes of other users (hidepid)?",
  answer({ hidepid, procfs, credentials }) {
    if (hidepid === undefined) return ok(`${procfs} hides no process (no hidepid).`);
    if (credentials?.ptrace) return ok(`${procfs} is mounted with hidepid=${hidepid}, which SYS_PTRACE overrides.`);
    return warning(
      `${procfs} is mounted with hidepid=${hidepid}: processes of other users cannot be seen or read, and are not counted here.`,
      "Run leakwatch with the group of the mount's gid= option, as root with SYS_PTRACE, or remount without hidepid.",
    );
  },
};

const firstProcess: MachineCheck = {
  id: "namespace.first",
  question: "Whose is PID 1, and does the PID namespace outlive the watched processes?",
  answer({ processes: all, ownPid, kernelThreads, credentials, procfs }) {
    const first = all.find(({ pid }) => pid === 1);
    const others = all.filter(isTarget);
    const inner = credentials !== undefined && credentials.namespacePids.length > 1;
    const elsewhere = inner ? ` leakwatch runs in a namespace of its own and sees it through ${procfs}.` : "";
    if (kernelThreads > 0) return ok(`This is the host's PID namespace: kernel threads can be seen.${elsewhere}`);
    if (ownPid === 1 || first?.kind === "leakwatch") {
      if (others.length === 0) return ok("PID 1 is leakwatch: the PID namespace is its own, and nobody shares it.");
      return warning(
        "PID 1 is leakwatch: when it ends, the kernel kills every process that shares its PID namespace.",
        "Let something that never ends own the namespace: the pause process of a pod (shareProcessNamespace: true), or the pidns service in compose.",
      );
    }
    if (first === undefined) {
      return unknown(
        "PID 1 cannot be seen, so it is not known whether the namespace outlives what is watched.",
        `Point --path.procfs at the procfs of that PID namespace (now ${procfs}).`,
      );
    }
    if (first.kind === "pause")
      return ok(`PID 1 is ${first.name}: the namespace is shared and outlives restarts.${elsewhere}`);
    if (isInit(first.name)) return ok(`PID 1 is ${first.name}, which outlives what it starts.${elsewhere}`);
    return warning(
      `PID 1 is ${first.name}: when it ends, the kernel kills leakwatch with it, and the restart is not counted.`,
      'Let something else own the namespace: shareProcessNamespace: true in a pod, a pidns service in compose (not pid: "service:app").',
    );
  },
};

const user: MachineCheck = {
  id: "rights.user",
  question: "Who are we, and what does that allow?",
  answer({ credentials }) {
    if (credentials === undefined) return unknown("Our own user cannot be read from /proc/self/status.");
    const { effectiveUid, ptrace } = credentials;
    if (effectiveUid === 0 && ptrace)
      return ok("leakwatch runs as root with SYS_PTRACE: it may read every file of every process.");
    if (effectiveUid === 0) {
      return ok(
        "leakwatch runs as root without SYS_PTRACE: descriptors and smaps_rollup of other users' processes stay closed to it.",
      );
    }
    const useless = ptrace ? " SYS_PTRACE is in effect as well." : "";
    return ok(
      `leakwatch runs as uid ${effectiveUid}: memory, threads, names, cgroups and limits of every process, descriptors and smaps_rollup of its own user's.${useless}`,
    );
  },
};

const statusReadable: MachineCheck = {
  id: "rights.memory",
  question: "Can the memory of every process be read (stat, status)?",
  answer({ processes: all, closed }) {
    const watched = watchedOf(all);
    const shut = [...closed.values()].reduce((sum, n) => sum + n, 0);
    const bad = watched.filter(({ unreadable }) => unreadable.has("status"));
    const seen = watched.length + shut;
    if (seen === 0) return undefined;
    const unreadable = bad.length + shut;
    if (unreadable === 0) return ok(`Memory and threads can be read for ${share(seen, seen)}.`);
    const reasons = [...closed].flatMap(([reason, n]) => Array<string>(n).fill(why(reason)));
    const sentence = `Memory cannot be read for ${share(unreadable, seen)}: ${listed(tally([...reasons, ...bad.map(reasonOf("status"))]))}.`;
    const advice =
      "These files need no rights on Linux. Look for hidepid, a seccomp or AppArmor profile, or a sandbox such as gVisor.";
    return unreadable === seen
      ? failure(sentence, advice)
      : warning(sentence, advice, tally(bad.map(({ group }) => group)));
  },
};

const descriptorsReadable: MachineCheck = {
  id: "rights.descriptors",
  question: "Can open descriptors be counted (fd)?",
  answer: ({ processes: all }) =>
    rightsTo(all, "fd", "Open descriptors can be counted for", "Descriptor leaks of the others are not seen."),
};

const smapsReadable: MachineCheck = {
  id: "rights.smaps",
  question: "Can proportional and unique memory be read (smaps_rollup)?",
  answer({ processes: all, smapsEnabled }) {
    if (watchedOf(all).length === 0) return undefined;
    const answer = rightsTo(all, "smaps_rollup", "smaps_rollup (PSS and USS) can be read for", "");
    if (smapsEnabled || answer === undefined) return answer;
    const { sentence, details } = answer;
    return ok(`${sentence} It is not asked for: smaps.enabled is false.`, details);
  },
};

const limitsReadable: MachineCheck = {
  id: "rights.limits",
  question: "Can the descriptor limit be read (limits)?",
  answer: ({ processes: all }) =>
    rightsTo(all, "limits", "Descriptor limits can be read for", "The others have no max_fds series."),
};

const cgroupVersion: MachineCheck = {
  id: "cgroups.version",
  question: "Which version of cgroups counts memory?",
  answer({ cgroups: { version, hybrid } }) {
    if (version === undefined) {
      return warning(
        "This kernel shows no cgroups: there are no container limits, memory events or pressure.",
        "Mount cgroup version 2 at /sys/fs/cgroup, or give limits with memory_limit in the configuration.",
      );
    }
    if (version === 2) return ok("Memory is counted by cgroup version 2.");
    const also = hybrid ? " Version 2 is there too (hybrid), without the memory controller." : "";
    return ok(`Memory is counted by cgroup version 1, which has no pressure and no hierarchical events.${also}`);
  },
};

const cgroupFiles: MachineCheck = {
  id: "cgroups.visible",
  question: "Can the files of their cgroups be reached?",
  answer({ processes: all, cgroups: { version, mounts }, cgroupfs }) {
    const held = cgroupsOf(all);
    if (version === undefined || held.length === 0) return undefined;
    const mount =
      mounts.length === 0
        ? `No cgroup mount stands below ${cgroupfs}.`
        : `Mounted at ${someOf(mounts.map(({ mountPoint }) => mountPoint))}.`;
    const reached = held.filter(({ reachedBy }) => reachedBy !== undefined);
    const byRoot = held.filter(({ reachedBy }) => reachedBy === "target's root").length;
    const detour = byRoot === 0 ? "" : ` ${byRoot} of them through the target's own root.`;
    const sentence = `The cgroup files of ${share(reached.length, held.length)} can be reached.${detour} ${mount}`;
    const names = tally(held.filter(({ reachedBy }) => reachedBy === undefined).map(({ path }) => path));
    if (reached.length === held.length) return ok(sentence);
    return warning(
      sentence,
      "Mount the host's hierarchy read-only (/sys/fs/cgroup:/host/sys/fs/cgroup:ro) and give --path.cgroupfs=/host/sys/fs/cgroup, or run as the targets' uid.",
      names,
    );
  },
};

const ownLimit: MachineCheck = {
  id: "limits.own",
  question: "What may leakwatch itself use, and who says so?",
  answer({ ownLimit: limit, ownUsage: usage, nodeMemory }) {
    if (limit === undefined) {
      const node = nodeMemory === undefined ? "" : ` The machine has ${humanBytes(nodeMemory)}.`;
      return ok(`No memory limit can be seen for leakwatch itself.${node}`);
    }
    const setBy = limit.source === "cgroup" ? "its own cgroup" : "a cgroup above its own";
    const sentence = `leakwatch itself may use ${humanBytes(limit.bytes)}, set by ${setBy}.`;
    if (usage === undefined || usage < ledger.nearLimitRatio * limit.bytes) return ok(sentence);
    return warning(
      `${sentence} ${humanShare(usage / limit.bytes)} of it is in use.`,
      "Raise the limit: the kernel may kill leakwatch before what it watches.",
    );
  },
};

const limitWords: Record<LimitSource, string> = {
  cgroup: "of their own cgroup",
  ancestor: "of a cgroup above",
  config: "from the configuration",
  node: "the machine's memory, for want of a limit",
  unknown: "unknown",
};

const targetLimits: MachineCheck = {
  id: "limits.targets",
  question: "Has every process a memory limit, and where does it come from?",
  answer({ processes: all }) {
    const watched = watchedOf(all);
    if (watched.length === 0) return undefined;
    const from = (source: LimitSource) => watched.filter(({ limitSource }) => limitSource === source);
    const counts = (Object.keys(limitWords) as LimitSource[])
      .filter((source) => from(source).length > 0)
      .map((source) => `${from(source).length} ${limitWords[source]}`);
    const lacking = [...from("unknown"), ...from("node")];
    const sentence =
      from("node").length === watched.length
        ? `${capitalized(share(0, watched.length))} has a memory limit: the machine's memory counts instead.`
        : `Memory limits of ${processes(watched.length)}: ${counts.join(", ")}.`;
    if (lacking.length === 0) return ok(sentence);
    const advice = [
      ...(from("unknown").length === 0
        ? []
        : ["Make their cgroup files visible (see above), or give memory_limit in the configuration."]),
      ...(from("node").length === 0
        ? []
        : [
            "Set a limit on the container or unit, or memory_limit in the configuration: until then the time to OOM is that of the whole machine.",
          ]),
    ];
    return warning(
      sentence,
      advice.join(" "),
      tally(lacking.map(({ group, limitSource }) => `${group}: ${limitWords[limitSource]}`)),
    );
  },
};

const fdCount: MachineCheck = {
  id: "kernel.descriptors",
  question: "Does the kernel give the number of descriptors by itself?",
  answer({ kernel: { fdCount: method, release } }) {
    const on = release === undefined ? "" : ` (Linux ${release})`;
    return method === "size"
      ? ok(`The kernel gives the number of open descriptors by fstat${on}.`)
      : ok(`Descriptors are counted by listing them, which costs more: before Linux 6.2 there is no other way${on}.`);
  },
};

const oomCounter: MachineCheck = {
  id: "kernel.oom_kills",
  question: "Does the kernel count OOM kills of the whole machine (vmstat)?",
  answer: ({ kernel, procfs }) =>
    kernel.countsOomKills
      ? ok(`${procfs}/vmstat counts OOM kills, so a killed main process can be told from an exit.`)
      : warning(
          `${procfs}/vmstat does not count OOM kills: a killed main process is recognised by its nearness to the limit only.`,
          "Linux 4.13 and later count them. In a sandbox such as gVisor they stay unknown.",
        ),
};

const memoryEvents: MachineCheck = {
  id: "kernel.memory_events",
  question: "Are OOM kills counted per cgroup (memory.events, memory.oom_control)?",
  answer({ processes: all }) {
    const reached = reachedCgroups(all);
    if (reached.length === 0) return undefined;
    const counting = reached.filter(({ hasEvents }) => hasEvents).length;
    if (counting > 0) return ok(`Memory events are counted in the cgroups of ${share(counting, reached.length)}.`);
    return warning(
      `Memory events are counted in the cgroup of ${share(0, reached.length)}: they sit in a root cgroup, or the memory controller is off.`,
      "Start them in cgroups with the memory controller, as every container engine and systemd do.",
    );
  },
};

const pressure: MachineCheck = {
  id: "kernel.pressure",
  question: "Is memory pressure measured (PSI)?",
  answer({ processes: all, cgroups: { version } }) {
    const reached = reachedCgroups(all);
    if (version !== 2 || reached.length === 0) return undefined;
    const measured = reached.filter(({ hasPressure }) => hasPressure).length;
    if (measured > 0) return ok(`Memory pressure is measured for ${share(measured, reached.length)}.`);
    return warning(
      "Memory pressure (PSI) is not measured by this kernel.",
      "Boot with psi=1 if you want its series. Verdicts do not need them.",
    );
  },
};

const keptDescriptors: MachineCheck = {
  id: "descriptors.own",
  question: "Does our own descriptor limit suffice to keep their files open?",
  answer({ processes: all, maxKept }) {
    const needed = 2 * watchedOf(all).length; // status, and the fd folder
    if (needed <= maxKept) return ok(`leakwatch may keep ${maxKept} descriptors open and needs ${needed} here.`);
    return warning(
      `leakwatch may keep ${maxKept} descriptors open and would need ${needed}: the other files are opened anew for every reading.`,
      `Raise the limit of open files to ${Math.ceil((needed * 1.25) / 1024) * 1024} or more (ulimit -n, LimitNOFILE=, nofile).`,
    );
  },
};

const unusedRules: MachineCheck = {
  id: "config.groups",
  question: "Does every rule in `groups` name a process?",
  answer({ rules }) {
    if (rules.length === 0) return undefined;
    const idle = rules.filter(({ takes }) => takes === 0);
    if (idle.length === 0) return ok(`Each of ${counted(rules.length, "rule")} in groups names a process.`);
    const details = rules.flatMap(({ name, fits, takes }, index) => {
      if (takes > 0) return [];
      return [
        fits === 0
          ? `groups[${index}] (${name}) fits no process`
          : `groups[${index}] (${name}) comes too late: earlier rules take all ${fits}`,
      ];
    });
    return warning(
      `${idle.length} of ${counted(rules.length, "rule")} in groups ${idle.length === 1 ? "names" : "name"} no process now: ${someOf(details, 3)}.`,
      'Patterns must match the whole text: ".*server.js.*", not "server.js". Put special rules before general ones.',
      details,
    );
  },
};

const unusedIgnores: MachineCheck = {
  id: "config.ignore",
  question: "Does every entry of `ignore` fit a process?",
  answer({ ignores }) {
    if (ignores.length === 0) return undefined;
    const idle = ignores.flatMap((fits, index) => (fits === 0 ? [`ignore[${index}]`] : []));
    if (idle.length === 0)
      return ok(`Each of ${counted(ignores.length, "entry", "entries")} in ignore fits a process.`);
    return warning(
      `${listed(idle)} fit${idle.length === 1 ? "s" : ""} no process now.`,
      "Patterns must match the whole text.",
    );
  },
};

export const machineSections: readonly Section<MachineFacts>[] = [
  { title: "Processes", checks: [processesSeen, processesWatched, processesNamed, hidden, firstProcess] },
  { title: "Rights", checks: [user, statusReadable, descriptorsReadable, smapsReadable, limitsReadable] },
  { title: "Cgroups and limits", checks: [cgroupVersion, cgroupFiles, ownLimit, targetLimits] },
  { title: "Kernel", checks: [fdCount, oomCounter, memoryEvents, pressure, keptDescriptors] },
];

export const ruleSections: readonly Section<MachineFacts>[] = [
  { title: "Configuration", checks: [unusedRules, unusedIgnores] },
];

/** May the file be read for all that are watched? */
function rightsTo(all: readonly SeenProcess[], file: string, able: string, loss: string): Answer | undefined {
  const watched = all.filter(({ kind, watched }) => kind === "target" && watched !== undefined);
  if (watched.length === 0) return undefined;
  const shut = watched.filter(({ watched: one }) => one?.unreadable.has(file));
  const sentence = `${able} ${share(watched.length - shut.length, watched.length)}.`;
  if (shut.length === 0) return ok(sentence);
  const reasons = tally(shut.map(({ watched: one }) => why(one?.unreadable.get(file) as FailureReason)));
  return warning(
    [sentence, `${shut.length === watched.length ? "The reason" : "The others"}: ${listed(reasons)}.`, loss]
      .filter((text) => text !== "")
      .join(" "),
    `${capitalized(rightsFor(shut))}.`,
    tally(shut.map(({ name, uid }) => `${name}, uid ${uid ?? "unknown"}`)),
  );
}

/** What would open the files of these processes. */
function rightsFor(shut: readonly SeenProcess[]): string {
  const uids = [...new Set(shut.map(({ uid }) => uid))].filter((uid) => uid !== undefined);
  const same =
    uids.length === 1 && uids[0] !== 0
      ? `run leakwatch as uid ${uids[0]}, or `
      : "run leakwatch as the targets' uid, or ";
  return `${uids.includes(0) && uids.length === 1 ? "run leakwatch " : same}as root with SYS_PTRACE; SYS_PTRACE gives nothing to another user`;
}

const reasonWords: Record<FailureReason, string> = {
  gone: "it ended meanwhile",
  permission: "permission denied",
  descriptors: "no descriptor was left",
  absent: "no such file",
  format: "it does not look as documented",
  io: "the kernel refused",
  timeout: "the process holds up the reading",
  untrusted: "the process shows another file in its place",
};

const why = (reason: FailureReason) => reasonWords[reason];
const reasonOf =
  (file: string) =>
  ({ unreadable }: WatchedProcess) =>
    why(unreadable.get(file) as FailureReason);

const isTarget = ({ kind }: SeenProcess) => kind === "target";

const watchedOf = (all: readonly SeenProcess[]): WatchedProcess[] =>
  all.filter(isTarget).flatMap(({ watched }) => (watched === undefined ? [] : [watched]));

const cgroupsOf = (all: readonly SeenProcess[]): SeenCgroup[] =>
  watchedOf(all).flatMap(({ cgroup }) => (cgroup === undefined ? [] : [cgroup]));

const reachedCgroups = (all: readonly SeenProcess[]) =>
  cgroupsOf(all).filter(({ reachedBy }) => reachedBy !== undefined);

/** Programs that are made to outlive what they start. tini and its like end with their only child. */
const isInit = (name: string) => /^(systemd|init|runit|s6-svscan|supervisord|openrc-init)$/.test(name);

const be = (list: readonly unknown[]) => (list.length === 1 ? "is" : "are");

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
