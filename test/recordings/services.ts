// The services that are recorded: real programs on real runtimes, each with what is known about it.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { MiB } from "../support/fixtures.ts";
import { findProgram } from "../support/packages.ts";
import type { Load } from "./load.ts";
import type { nodeVersions, Tools } from "./tools.ts";

/** What a service finds where it runs. */
export interface Place {
  tools: Tools;
  /** Its own. */
  folder: string;
  /** Where it listens, if it does. */
  socket: string;
  /** The socket of another service. */
  socketOf: (id: string) => string;
}

export interface Service {
  id: string;
  runtime: string;
  /** One line for people. */
  does: string;
  leak?: {
    /** What each process keeps on purpose, in bytes an hour, without what the runtime adds; undefined where only the runtime knows. */
    bytesPerHour?: number;
    /** Seconds after the start. */
    onset?: number;
  };
  command: (place: Place) => string[];
  /** For programs that read their options there. */
  environment?: Record<string, string>;
  setUp?: (place: Place) => void;
  load?: (place: Place) => Load;
  /** The recorded ones, where they are not the process that is started but its children. */
  workers?: { count: number; title?: RegExp };
  /** Of the runtime's heap as its command line says, in bytes. */
  heapLimit?: number;
  /** Of a cgroup of its own, in bytes. */
  memoryLimit?: number;
}

const KiB = 1024;
const hour = 3600;

export const services: readonly Service[] = [
  // Node.js, healthy
  node(18, "lru-3m", "LRU cache of 60 MiB that is full after 3 minutes", {
    cache: { entries: 540, bytes: 114 * KiB },
  }),
  node(20, "lru-10m", "LRU cache of 80 MiB that is full after 10 minutes", {
    cache: { entries: 1800, bytes: 46 * KiB },
  }),
  node(22, "lru-17m", "LRU cache of 128 MiB that is full after 17 minutes", {
    cache: { entries: 3060, bytes: 43 * KiB },
  }),
  node(24, "lru-30m", "LRU cache of 100 MiB that is full after 30 minutes", {
    cache: { entries: 5400, bytes: 19 * KiB },
  }),
  node(20, "ttl-25m", "cache whose entries live for 25 minutes: straight until the first expire", {
    cache: { ttl: 25 * 60, bytes: 20 * KiB },
  }),
  node(24, "late-lru-12m", "LRU cache of 48 MiB that begins to fill after 10 minutes and is full 12 minutes later", {
    cache: { entries: 2160, bytes: 23 * KiB, after: 600 },
  }),
  node(22, "garbage", "garbage of the old generation only, with the default heap limit", {
    garbage: 60 * KiB,
    keep: 300,
  }),
  node(18, "garbage-192m", "garbage of the old generation only", { garbage: 80 * KiB, keep: 400 }, { heapMiB: 192 }),
  node(24, "garbage-512m", "garbage of the old generation only", { garbage: 40 * KiB, keep: 900 }, { heapMiB: 512 }),
  node(24, "idle", "serves nobody", {}, { perSecond: 0 }),
  node(
    24,
    "waves",
    "load in waves of 7 minutes; each request holds a buffer for 20 seconds",
    { hold: { bytes: 768 * KiB, seconds: 20 } },
    { waveMinutes: 7 },
  ),
  node(20, "jobs", "a job every 5 minutes that needs 90 MiB for 15 seconds", {
    job: { every: 300, seconds: 15, bytes: 90 * MiB },
  }),
  node(22, "warm-up", "compiles code for 8 minutes, then fills a cache of 30 MiB in 10 minutes", {
    compile: { functions: 1440, lines: 120 },
    cache: { entries: 1800, bytes: 17 * KiB, after: 480 },
  }),
  // Node.js, leaking
  leakyNode(18, "array", "keeps 12 KiB of every request in a global array", { kind: "array", bytes: 12 * KiB }),
  leakyNode(20, "listeners", "adds a listener per request and removes none", { kind: "listener", bytes: 5 * KiB }),
  leakyNode(22, "closures", "keeps a small closure of every request", { kind: "closure", bytes: 2300 }),
  leakyNode(24, "buffers", "keeps buffers outside the heap from the 12th minute on", {
    kind: "buffer",
    bytes: 6 * KiB,
    after: 720,
  }),
  leakyNode(
    24,
    "under-waves",
    "leaks per request while load comes in waves of 7 minutes",
    { kind: "array", bytes: 5 * KiB },
    { hold: { bytes: 512 * KiB, seconds: 10 } },
    { waveMinutes: 7 },
  ),
  leakyNode(
    22,
    "beside-a-cache",
    "leaks while an LRU cache of 48 MiB fills in 15 minutes",
    { kind: "closure", bytes: 6 * KiB },
    { cache: { entries: 2700, bytes: 18 * KiB } },
  ),
  leakyNode(20, "accelerating", "leaks twice as fast every 15 minutes", {
    kind: "array",
    bytes: 2 * KiB,
    doublesIn: 900,
  }),
  leakyNode(
    18,
    "under-garbage",
    "leaks under the sawtooth of much garbage",
    { kind: "array", bytes: 4 * KiB },
    { garbage: 60 * KiB, keep: 300 },
  ),
  leakyNode(
    22,
    "heap-limit-64m",
    "dies of its heap limit every few minutes and is started again",
    { kind: "array", bytes: 60 * KiB },
    {},
    { heapMiB: 64 },
  ),
  leakyNode(
    24,
    "heap-limit-96m",
    "dies of its heap limit every few minutes and is started again",
    { kind: "listener", bytes: 72 * KiB },
    {},
    { heapMiB: 96 },
  ),
  leakyNode(
    20,
    "heap-limit-48m",
    "dies of its heap limit every other minute and is started again",
    { kind: "array", bytes: 110 * KiB },
    {},
    { heapMiB: 48 },
  ),
  leakyNode(
    22,
    "leak-restarted",
    "leaks, and is restarted every ten minutes before that matters",
    { kind: "array", bytes: 14 * KiB },
    { exit: { after: 600, code: 0 } },
  ),
  // Node.js, healthy and restarted
  node(20, "crashes", "crashes every few minutes; not for its memory", {
    keep: 100,
    garbage: 30 * KiB,
    exit: { after: 200, code: 1 },
  }),
  node(22, "restarted", "an LRU cache of 40 MiB fills in 6 minutes, and all begins again every 13 minutes", {
    cache: { entries: 1080, bytes: 38 * KiB },
    exit: { after: 780, code: 0 },
  }),
  node(
    22,
    "near-heap-limit",
    "keeps 45 MiB and makes garbage below a heap limit of 80",
    { cache: { entries: 900, bytes: 51 * KiB } },
    { heapMiB: 80 },
  ),
  // Python
  python("lru-17m", "OrderedDict as an LRU cache of 80 MiB that is full after 17 minutes", {
    per_second: 4,
    cache: { entries: 4080, bytes: 20 * KiB },
  }),
  python("lru-3m", "OrderedDict as an LRU cache of 25 MiB that is full after 3 minutes", {
    per_second: 4,
    cache: { entries: 720, bytes: 35 * KiB },
  }),
  python("lru-30m", "OrderedDict as an LRU cache of 110 MiB that is full after 30 minutes", {
    per_second: 4,
    cache: { entries: 7200, bytes: 16 * KiB },
  }),
  python("idle", "sleeps", { idle: true }),
  python("jobs", "a job every 4 minutes that needs 60 MiB for 10 seconds", {
    per_second: 2,
    job: { every: 480, bytes: 60 * MiB, seconds: 10 },
  }),
  python("fragments", "replaces pieces of changing size, as many at all times", {
    per_second: 4,
    pieces: { count: 20_000, smallest: 64, largest: 4096, per_request: 60 },
  }),
  {
    ...python("list", "keeps every request in a list", { per_second: 4, leak: { kind: "list", bytes: 8 * KiB } }),
    leak: { bytesPerHour: 4 * 8 * KiB * hour },
  },
  {
    ...python("native", "an extension forgets to free", { per_second: 4, leak: { kind: "native", bytes: 1800 } }),
    leak: { bytesPerHour: 4 * 1800 * hour },
  },
  {
    ...python("cgroup-oom", "killed by the kernel at the limit of its cgroup every few minutes, and started again", {
      per_second: 4,
      leak: { kind: "list", bytes: 80 * KiB },
    }),
    leak: { bytesPerHour: 4 * 80 * KiB * hour },
    memoryLimit: 80 * MiB,
  },
  gunicorn(
    "recycled",
    "Flask; workers end after 300 requests",
    2,
    ["--max-requests=300", "--max-requests-jitter=60"],
    {},
  ),
  {
    ...gunicorn("leak", "Flask; keeps every request", 2, [], { leak: { kind: "list", bytes: 10 * KiB } }),
    leak: { bytesPerHour: 1.5 * 10 * KiB * hour },
  },
  {
    ...gunicorn(
      "leak-recycled",
      "Flask; keeps every request, and workers end after 500 requests",
      2,
      ["--max-requests=500", "--max-requests-jitter=100"],
      { leak: { kind: "list", bytes: 24 * KiB } },
    ),
    leak: { bytesPerHour: 1.5 * 24 * KiB * hour },
  },
  // Java
  java("garbage-256m", "garbage only, G1", ["-Xmx256m", "-XX:+UseG1GC"], 256, { garbage: 20_000 }),
  java("garbage-2g", "garbage only, a heap larger than needed", ["-Xmx2g", "-XX:+UseG1GC"], 2048, { garbage: 60_000 }),
  java("garbage-serial", "garbage only, serial collector", ["-Xmx300m", "-XX:+UseSerialGC"], 300, { garbage: 30_000 }),
  java("lru-10m", "LinkedHashMap as an LRU cache of 100 MiB that is full after 10 minutes", ["-Xmx512m"], 512, {
    garbage: 10_000,
    cacheEntries: 6000,
    cacheBytes: 17_000,
  }),
  java(
    "lru-30m",
    "LinkedHashMap as an LRU cache of 70 MiB that is full after 30 minutes",
    ["-Xmx256m", "-XX:+UseG1GC"],
    256,
    { garbage: 4000, cacheEntries: 18_000, cacheBytes: 4000 },
  ),
  {
    ...java("heap-limit-64m", "dies of OutOfMemoryError every few minutes and is started again", ["-Xmx64m"], 64, {
      garbage: 4000,
      leakBytes: 24_000,
    }),
    leak: { bytesPerHour: 24_000 * 10 * hour },
  },
  {
    ...java("static-map", "keeps sessions in a static map", ["-Xmx512m", "-Xms32m"], 512, {
      garbage: 10_000,
      leakBytes: 4000,
    }),
    leak: { bytesPerHour: 4000 * 10 * hour },
  },
  {
    ...java(
      "under-garbage",
      "leaks under the sawtooth of much garbage",
      ["-Xmx300m", "-Xms32m", "-XX:+UseSerialGC"],
      300,
      { garbage: 60_000, leakBytes: 1500 },
    ),
    leak: { bytesPerHour: 1500 * 10 * hour },
  },
  {
    ...java("direct-buffers", "keeps direct buffers, outside the heap", ["-Xmx128m", "-XX:+UseSerialGC"], 128, {
      garbage: 5000,
      directBytes: 1500,
    }),
    leak: { bytesPerHour: 1500 * 10 * hour },
  },
  // Go
  go("garbage", "garbage only", [40_000, 0, 0, 0]),
  go("lru-10m", "a map as a cache of 60 MiB that is full after 10 minutes", [4096, 1800, 34_000, 0]),
  {
    ...go("goroutines", "forgets a goroutine per request: 2 KiB of stack", [4096, 0, 0, 6000]),
    leak: { bytesPerHour: 3 * 2048 * hour },
  },
  // C
  c("fragments", "replaces pieces of changing size: holes that do not fit", ["fragments", "40000"]),
  c("mapped", "reads a mapped file of 200 MiB", ["mapped", "FILE", "40000"]),
  { ...c("malloc", "forgets to free", ["malloc", "700"]), leak: { bytesPerHour: 700 * 10 * hour } },
  {
    ...c("cgroup-oom", "killed by the kernel at the limit of its cgroup every other minute, and started again", [
      "malloc",
      "45000",
    ]),
    leak: { bytesPerHour: 45_000 * 10 * hour },
    memoryLimit: 64 * MiB,
  },
  { ...c("shared", "keeps taking shared memory", ["shared", "4096"]), leak: { bytesPerHour: 4096 * 10 * hour } },
  // Ruby
  puma("garbage", "Rack application; garbage only", 0),
  {
    ...puma("array", "Rack application; keeps a slice of every request's rows, and by it all of them", 6000),
    leak: {},
  },
  // servers
  phpFpm(),
  nginx(),
  redis(
    "maxmemory",
    "fills to its maxmemory of 90 MB in a quarter of an hour, and evicts",
    ["--maxmemory", "90mb"],
    "",
  ),
  redis("expiring", "keys live for 20 minutes: straight until the first expire", [], "EX 1200"),
  { ...redis("without-limit", "keys without an end", [], ""), leak: { bytesPerHour: 40 * 1024 * hour } },
  postgres("shared-buffers", "one backend reads more and more of a table into shared buffers", (turn) => {
    return `select sum(length(x)) from t where i in (select (random() * 150000)::int from generate_series(1, 12)) and ${turn} > 0;`;
  }),
  {
    ...postgres("prepared", "one backend keeps a prepared statement of every request", (turn) => {
      const columns = Array.from({ length: 12 }, (_, i) => `length(x) + ${i}`).join(", ");
      return `prepare s${turn} as select ${columns} from t where i = ${turn}; explain (costs off) execute s${turn};`;
    }),
    leak: {},
  },
];

interface NodeWords {
  perSecond?: number;
  waveMinutes?: number;
  heapMiB?: number;
}

function node(
  version: (typeof nodeVersions)[number],
  name: string,
  does: string,
  options: object,
  words: NodeWords = {},
) {
  const { perSecond = 3, waveMinutes, heapMiB } = words;
  return {
    id: `node${version}-${name}`,
    runtime: `Node.js ${version}`,
    does,
    command: ({ tools, socket }) => [
      tools.node(version),
      ...(heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`]),
      tools.program("server.cjs"),
      socket,
      JSON.stringify(options),
    ],
    load: ({ socket }) => ({ http: socket, perSecond, ...(waveMinutes !== undefined && { waveMinutes }) }),
    ...(heapMiB !== undefined && { heapLimit: heapMiB * MiB }),
  } satisfies Service;
}

interface NodeLeak {
  kind: "array" | "listener" | "closure" | "buffer";
  bytes: number;
  after?: number;
  doublesIn?: number;
}

function leakyNode(
  version: (typeof nodeVersions)[number],
  name: string,
  does: string,
  leak: NodeLeak,
  options: object = {},
  words: NodeWords = {},
): Service {
  const first = 3 * leak.bytes * hour;
  return {
    ...node(version, name, does, { ...options, leak }, words),
    leak: {
      // of one that accelerates: in its first hour
      bytesPerHour:
        leak.doublesIn === undefined
          ? first
          : (first * (2 ** (hour / leak.doublesIn) - 1)) / (Math.LN2 * (hour / leak.doublesIn)),
      ...(leak.after !== undefined && { onset: leak.after }),
    },
  };
}

function python(name: string, does: string, options: object): Service {
  return {
    id: `python-${name}`,
    runtime: "Python 3.11",
    does,
    command: ({ tools }) => ["/usr/bin/python3", tools.program("app.py")],
    environment: { OPTIONS: JSON.stringify(options) },
  };
}

/** Three requests per second, over all workers. */
function gunicorn(name: string, does: string, workers: number, flags: string[], options: object): Service {
  return {
    id: `gunicorn-${name}`,
    runtime: "Python 3.11, gunicorn 20.1",
    does,
    command: ({ tools, socket }) => [
      "/usr/bin/gunicorn",
      `--chdir=${path.dirname(tools.program("app.py"))}`,
      `--bind=unix:${socket}`,
      `--workers=${workers}`,
      ...flags,
      "app:app",
    ],
    environment: { OPTIONS: JSON.stringify(options), PYTHONDONTWRITEBYTECODE: "1" },
    // each request on a connection of its own, so that all workers get some
    load: ({ socket }) => ({ http: socket, perSecond: 3, newConnections: true }),
    workers: { count: workers },
  };
}

function java(name: string, does: string, flags: string[], heapMiB: number, options: Record<string, number>): Service {
  return {
    id: `java17-${name}`,
    runtime: "OpenJDK 17",
    does,
    command: ({ tools }) => [
      "java",
      ...flags,
      "-cp",
      tools.built,
      "Service",
      ...Object.entries(options).map(([key, value]) => `${key}=${value}`),
    ],
    heapLimit: heapMiB * MiB,
  };
}

function go(name: string, does: string, sizes: number[]): Service {
  return {
    id: `go-${name}`,
    runtime: "Go",
    does,
    command: ({ tools, socket }) => [path.join(tools.built, "service-go"), socket, ...sizes.map(String)],
    load: ({ socket }) => ({ http: socket, perSecond: 3 }),
  };
}

function c(name: string, does: string, words: string[]): Service {
  const file = ({ folder }: Place) => path.join(folder, "file");
  return {
    id: `c-${name}`,
    runtime: "C, glibc 2.36",
    does,
    setUp(place) {
      if (words.includes("FILE")) fs.writeFileSync(file(place), Buffer.alloc(200 * MiB, 1));
    },
    command: (place) => [
      path.join(place.tools.built, "service-c"),
      ...words.map((word) => (word === "FILE" ? file(place) : word)),
    ],
  };
}

function puma(name: string, does: string, leakBytes: number): Service {
  return {
    id: `puma-${name}`,
    runtime: "Ruby 3.1, Puma 5.6",
    does,
    command: ({ tools, socket }) => [
      "/usr/bin/puma",
      "--bind",
      `unix://${socket}`,
      "--threads",
      "2:2",
      tools.program("config.ru"),
    ],
    environment: { LEAK_BYTES: String(leakBytes) },
    load: ({ socket }) => ({ http: socket, perSecond: 3 }),
  };
}

function phpFpm(): Service {
  return {
    id: "php-fpm-recycled",
    runtime: "PHP 8.2 FPM",
    does: "workers end after 250 requests",
    setUp({ folder, socket }) {
      const lines = [
        "[global]",
        `error_log = ${folder}/error.log`,
        "[www]",
        "user = www-data",
        `listen = ${socket}`,
        "listen.mode = 0666",
        "pm = static",
        "pm.max_children = 2",
        "pm.max_requests = 250",
      ];
      fs.writeFileSync(path.join(folder, "php-fpm.conf"), `${lines.join("\n")}\n`);
    },
    command: ({ folder }) => [
      findProgram("php-fpm[0-9]*") as string,
      "--nodaemonize",
      "--fpm-config",
      path.join(folder, "php-fpm.conf"),
    ],
    workers: { count: 2 },
  };
}

function nginx(): Service {
  return {
    id: "nginx",
    runtime: "nginx",
    does: "hands requests to PHP",
    setUp({ folder, socket, socketOf, tools }) {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (kind) => `${kind}_temp_path ${folder};`,
      );
      // workers are not root and may not see where the repository is
      fs.copyFileSync(tools.program("index.php"), path.join(folder, "index.php"));
      fs.writeFileSync(
        path.join(folder, "nginx.conf"),
        `worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${temporary.join(" ")}
  server {
    listen unix:${socket};
    location / {
      fastcgi_pass unix:${socketOf("php-fpm-recycled")};
      fastcgi_param SCRIPT_FILENAME ${folder}/index.php;
      fastcgi_param REQUEST_METHOD GET;
    }
  }
}
`,
      );
    },
    command: ({ folder }) => ["/usr/sbin/nginx", "-c", path.join(folder, "nginx.conf"), "-g", "daemon off;"],
    load: ({ socket }) => ({ http: socket, perSecond: 2 }),
    workers: { count: 1 },
  };
}

/** A hundred bytes more than a KiB for each key; 40 keys per second. */
function redis(name: string, does: string, flags: string[], suffix: string): Service {
  const perSecond = name === "without-limit" ? 40 : 80;
  return {
    id: `redis-${name}`,
    runtime: "Redis 7.0",
    does,
    command: ({ socket, folder }) => [
      "/usr/bin/redis-server",
      ...["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""],
      ...["--maxmemory-policy", "allkeys-lru", ...flags],
    ],
    load: ({ socket }) => ({
      lines: socket,
      perSecond,
      line: (turn) => `SET key:${turn} ${String(turn % 10).repeat(1024)} ${suffix}\r\n`,
    }),
  };
}

function postgres(name: string, does: string, query: (turn: number) => string): Service {
  const bin = () => fs.globSync("/usr/lib/postgresql/*/bin").at(-1) as string;
  const asUser = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
  const socketFolder = (place: Place) => ["-k", place.folder, "-c", "listen_addresses="];
  return {
    id: `postgres-${name}`,
    runtime: "PostgreSQL 15",
    does,
    setUp({ folder }) {
      execFileSync("chown", ["postgres", folder]);
      const run = (words: string[], input?: string) => {
        const [file = "", ...rest] = [...asUser, ...words];
        execFileSync(file, rest, { stdio: ["pipe", "ignore", "pipe"], ...(input !== undefined && { input }) });
      };
      run([`${bin()}/initdb`, "--no-sync", "--auth=trust", "-D", `${folder}/data`]);
      // a server of one session makes the table
      run(
        [`${bin()}/postgres`, "--single", "-D", `${folder}/data`, "-j", "postgres"],
        "create table t as select i, repeat('x', 600) x from generate_series(1, 150000) i;\n\ncreate index on t (i);\n\n",
      );
    },
    command: (place) => [
      ...[...asUser, `${bin()}/postgres`, "-D", `${place.folder}/data`, ...socketFolder(place)],
      ...["-c", "shared_buffers=128MB", "-c", "jit=off"],
    ],
    load: ({ folder }) => ({
      client: [`${bin()}/psql`, "-q", "-o", "/dev/null", "-h", folder, "-U", "postgres", "postgres"],
      perSecond: 1,
      line: (turn) => `${query(turn)}\n`,
    }),
    workers: { count: 1, title: /^postgres: postgres postgres/ },
  };
}
