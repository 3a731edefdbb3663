// Keeps 512 KiB more of orders each second, and lets go of none.
const kept = [];
setInterval(() => kept.push(Buffer.alloc(512 * 1024, 1)), 1000);
