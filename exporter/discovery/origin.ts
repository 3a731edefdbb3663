// What started a process, and so what its end and the next start mean: a supervisor starts a service again, cron and people start jobs,
// programs start helpers, and a shell may do any of it. Only what /proc shows to everybody is asked: parents, names, cgroups, terminals.

import { programName } from "./name.ts";

/**
 * `service`: started by what keeps services running, the main process of a container, or one that a rule of the configuration names.
 * `script`: by a shell that itself runs as a service, such as an entrypoint or a loop. `helper`: by another program. `job`: by cron, by a person,
 * or by another job. `unseen`: by one that we cannot see.
 */
export type Origin = "service" | "script" | "helper" | "job" | "unseen";

/** The process that started another, as far as it can be seen. */
export interface ParentFacts {
  /** What it is called by default, and its short name in the kernel. */
  readonly names: readonly string[];
  readonly origin: Origin;
  readonly containerId: string | undefined;
}

export interface ChildFacts {
  /** Does a rule of the configuration name it? Then its user says that it is a service. */
  readonly isConfigured: boolean;
  /** Was it started by, or handed over to, the first process of all? */
  readonly isOfInit: boolean;
  readonly containerId: string | undefined;
  /** Has it a terminal: does a person see it run? */
  readonly hasTerminal: boolean;
  /** Does its container or unit have a main process already, which was started before it by the same that started this one? */
  readonly isBesideMain: boolean;
}

/** Undefined parent: it is not in our view, as that of a container's main process is not seen from inside. */
export function originOf(child: ChildFacts, parent: ParentFacts | undefined): Origin {
  // a command in a running container (docker exec, probes), or one of a unit's other commands (ExecReload)
  if (child.isBesideMain) return "job";
  if (child.isConfigured) return "service";
  if (parent === undefined) return child.containerId === undefined ? "unseen" : "service";
  if (parent.containerId !== child.containerId || child.isOfInit) return "service";
  if (isOneOf(parent, schedulers) || isOneOf(parent, sessions)) return "job";
  if (isOneOf(parent, supervisors)) return "service";
  if (isOneOf(parent, wrappers)) return parent.origin;
  if (isOneOf(parent, shells)) return fromShell(child, parent);
  return parent.origin === "job" ? "job" : "helper";
}

function fromShell({ hasTerminal }: ChildFacts, { origin }: ParentFacts): Origin {
  if (hasTerminal) return "job"; // somebody typed it
  return origin === "service" || origin === "unseen" ? "script" : "job";
}

/** Does it run commands that it does not replace itself by? Those that it starts are its business. */
const isOneOf = ({ names }: ParentFacts, programs: RegExp) => names.some((name) => programs.test(name));

/** They start again what has ended. Names as in the kernel (15 bytes) or in the arguments. */
const supervisors = new RegExp(
  `^(${[
    // init systems, and the small ones of containers
    "systemd|init|upstart|openrc-run|openrc-init|start-stop-daem(on)?|procd|finit|dinit|launchd|tini(-static)?|dumb-init|docker-init",
    "catatonit|my_init|s6-svscan|s6-supervise|s6-linux-init|runsvdir|runsv|runit|runit-init|svscan|supervise|perpd|nosh|multirun",
    // process managers
    "supervisord|circusd|monit|god|bluepilld|eye|daemonize|daemontools|immortal|pm2.*|PM2.*|forever|monitor|nodemon|node-dev",
    "ts-node-dev|foreman.*|honcho|overmind|goreman|hivemind|hypervisor|watchexec|entr|reflex|air|heart|Passenger.*|wrapper",
    "concurrently|npm-run-all|run-p",
    // what runs containers and virtual machines, seen from the host
    "containerd-shim.*|docker-containe(r-shim)?|conmon|conmonrs|crio|runc|crun|youki|lxc-start|lxc-execute|systemd-nspawn|nomad|kubelet|ecs-agent",
  ].join("|")})$`,
);

/** Is it one that is given the children of those that end? Then who started such a child is not known any more. */
export const isReaper = ({ names }: Pick<ParentFacts, "names">): boolean => names.some((name) => reapers.test(name));

/** Init systems, and what asks to be a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) without running services side by side. */
const reapers = /^(systemd|init|tini(-static)?|dumb-init|docker-init|catatonit|containerd-shim.*|conmon)$/;

/** They start commands at set times; each runs to its end. */
const schedulers = /^(cron|crond|CRON|anacron|atd|fcron|supercronic|ofelia|jobber|go-cron|dcron|busybox-cron)$/;

/** People, and programs that log in for them. */
const sessions =
  /^(sshd(-session|-auth)?|dropbear|login|getty|agetty|telnetd|mosh-server|tmux.*|screen|SCREEN|script|xterm|gnome-terminal.*|konsole|kitty|alacritty|code|expect)$/;

/** They stay beside the command that they were given: what started them started it. */
const wrappers =
  /^(sudo|su|doas|runuser|gosu|su-exec|setpriv|chpst|softlimit|env|nice|ionice|chrt|taskset|numactl|nohup|setsid|stdbuf|timeout|time|strace|ltrace|unshare|nsenter|chroot|flock|xvfb-run|dbus-run-session|npm( .*)?|npx|yarn|pnpm|bun|poetry|pipenv|uv|hatch|bundle|make|cross-env|dotenv|doppler|envconsul|consul-template|chamber|aws-vault|with-contenv|newrelic-admin|ddtrace-run|opentelemetry-instrument)$/;

const shells = /^(ba|da|z|k|mk|a|c|tc|fi)?sh$|^busybox$/;

/** They do one thing and end, again and again in scripts; nobody calls them a service. */
const oneShots =
  /^(sleep|true|false|cat|echo|printf|date|ls|cp|mv|rm|mkdir|touch|find|xargs|grep|sed|awk|gawk|mawk|cut|sort|uniq|head|tail|tee|wc|tr|test|expr|seq|jq|yq|curl|wget|nc|ncat|ping|dig|nslookup|host|ps|pgrep|pkill|kill|top|free|df|du|id|whoami|hostname|uname|tar|gzip|gunzip|zip|unzip|rsync|scp|ssh|git|openssl|base64|md5sum|sha256sum|psql|pg_dump|pg_isready|mysql|mysqldump|mysqladmin|redis-cli|mongosh|kubectl|docker|aws|gsutil|gcloud|az|stat|lsof|netstat|ss|ip|iptables|systemctl|service|logger|chown|chmod|ln|readlink|realpath|basename|dirname|inotifywait|wait-for-it|dockerize)(\.sh)?$/;

/** Is it a command that runs to its end, whoever starts it again? */
export const isOneShot = (program: string): boolean => oneShots.test(programName(program));
