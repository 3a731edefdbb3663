// /proc/vmstat: counters of the whole machine, readable in every container.
//   oom_kill 14
// https://docs.kernel.org/admin-guide/cgroup-v2.html (memory events), mm/vmstat.c

import { parseCounters } from "./lines.ts";

/** OOM kills since boot, in any cgroup; undefined before Linux 4.13. */
export function parseOomKills(text: string): number | undefined {
  return parseCounters(text).get("oom_kill");
}
