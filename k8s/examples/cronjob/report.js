// Grows while it works, and ends after three minutes: no leak.
const rows = [];
const work = setInterval(() => rows.push(Buffer.alloc(256 * 1024, 1)), 1000);
setTimeout(() => clearInterval(work), 180_000);
