// An HTTP server that keeps, caches or leaks what each request makes.
//   node server.cjs SOCKET '{"garbage":65536,"keep":200,"cache":{"entries":600,"bytes":40960}}'
// Sizes are in bytes, times in seconds.

const { EventEmitter } = require("node:events");
const http = require("node:http");

const [socket, words] = process.argv.slice(2);
const options = JSON.parse(words);
const started = Date.now();
const age = () => (Date.now() - started) / 1000;

let requests = 0;
const recent = [];
const cache = new Map();
const array = [];
const callbacks = [];
const buffers = [];
const compiled = [];
const emitter = new EventEmitter().setMaxListeners(0);

/** A record as a program has it: mostly text, some numbers and objects. */
function record(bytes) {
  const tags = Array.from({ length: 8 }, (_, i) => ({ name: `tag-${i}`, value: requests + i }));
  return {
    id: `record-${requests}`,
    seen: new Date(),
    tags,
    body: Buffer.alloc(bytes, 97 + (requests % 26)).toString("latin1"),
  };
}

const leaks = {
  array: (bytes) => array.push(record(bytes)),
  listener(bytes) {
    const session = record(bytes);
    emitter.on("change", () => session.body.length);
  },
  closure(bytes) {
    const session = record(bytes);
    callbacks.push(() => session.body.length);
  },
  buffer: (bytes) => buffers.push(Buffer.alloc(bytes, 1)),
};

/** Answers are made, and some are kept until so many younger ones were made: they are garbage of the old generation. */
function makeGarbage({ garbage = 8192, keep = 4 }) {
  recent.push(JSON.parse(JSON.stringify(record(garbage))));
  if (recent.length > keep) recent.splice(0, recent.length - keep);
}

function fillCache({ entries = Number.POSITIVE_INFINITY, ttl = Number.POSITIVE_INFINITY, bytes, after = 0 }) {
  if (age() < after) return;
  cache.set(requests, { until: age() + ttl, record: record(bytes) });
  for (const [key, { until }] of cache) {
    if (cache.size <= entries && until > age()) break;
    cache.delete(key);
  }
}

function leak({ kind, bytes, after = 0, doublesIn }) {
  if (age() < after) return;
  leaks[kind](doublesIn === undefined ? bytes : Math.round(bytes * 2 ** (age() / doublesIn)));
}

/** Code that is compiled when it is first needed: modules, templates, queries. */
function compile({ functions, lines }) {
  if (compiled.length >= functions) return;
  const body = Array.from({ length: lines }, (_, i) => `x = (x * ${i + 3} + ${requests}) % 65521;`).join("\n");
  const run = new Function("x", `${body}\nreturn x;`);
  for (let i = 0; i < 50; i++) run(i);
  compiled.push(run);
}

/** A job that needs much for some seconds. */
function startJobs({ every, seconds, bytes }) {
  setInterval(() => {
    let parts = Array.from({ length: 64 }, () => new Array(Math.round(bytes / 64 / 8)).fill(requests + 0.5));
    setTimeout(() => {
      parts = parts.length > 0 ? undefined : parts;
    }, seconds * 1000);
  }, every * 1000);
}

/** As long as a request runs it holds a buffer. */
function hold({ bytes, seconds }) {
  const buffer = Buffer.alloc(bytes, 1);
  setTimeout(() => buffer.fill(0, 0, 1), seconds * 1000);
}

/** For a reason that is not memory: a bug, or a cron job. Never quite at the same age. */
function exitLater({ after, code }) {
  setTimeout(() => process.exit(code), after * 1000 * (0.8 + 0.4 * Math.random()));
}

if (options.job) startJobs(options.job);
if (options.exit) exitLater(options.exit);
http
  .createServer((_request, response) => {
    requests++;
    makeGarbage(options);
    if (options.compile) compile(options.compile);
    if (options.cache) fillCache(options.cache);
    if (options.hold) hold(options.hold);
    if (options.leak) leak(options.leak);
    response.end(`${requests}\n`);
  })
  .listen(socket);
