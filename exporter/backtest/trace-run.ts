// One recorded trace through the judge: the samples of all its members in the order of time.

import type { ServiceJudge } from "./judged.ts";
import { Lives } from "./lives.ts";
import type { TraceReport } from "./report.ts";
import { ServiceRun } from "./service-run.ts";
import type { Member, Trace } from "./traces.ts";

/** `withEstimates`: also the time to OOM, minute by minute. */
export function judgeTrace({ id, members }: Trace, judge: ServiceJudge, withEstimates: boolean): TraceReport {
  const estimates: [number, number][] = [];
  const run = new ServiceRun(
    judge,
    undefined,
    withEstimates ? (time, seconds) => void estimates.push([time, seconds]) : undefined,
  );
  const cursors = members.map((member) => ({ member, next: 0, lives: new Lives("exact") }));
  for (;;) {
    let first: (typeof cursors)[number] | undefined;
    for (const cursor of cursors)
      if (timeOf(cursor) < (first === undefined ? Number.POSITIVE_INFINITY : timeOf(first))) first = cursor;
    if (first === undefined) break;
    const { member, next: i, lives } = first;
    const [time, bytes] = [member.times[i] as number, member.resident[i] as number];
    run.add(String(member.slot), {
      time,
      bytes,
      limit: member.limit[i] as number,
      startTime: lives.add({ time, bytes, startTime: member.startTime[i] as number, label: "" }),
      ...(member.heapLimit === undefined ? {} : { heapLimit: member.heapLimit[i] as number }),
    });
    first.next++;
  }
  const { episodes, found } = run.end();
  return { id, episodes, found, time_to_oom: estimates };
}

const timeOf = ({ member, next }: { member: Member; next: number }) => member.times[next] ?? Number.POSITIVE_INFINITY;
