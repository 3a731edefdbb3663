// Input that is not as one would wish: limits that change under a process, clocks that disagree, an exporter that is restarted.

import { evaluation } from "../../../catalog/windows.ts";
import { firedFor, holds, neverFired, type RuleTestFile, situation } from "../rule-test.ts";
import { endsAt, type InputSeries, ledgerOf, toldOf } from "../series.ts";
import { day, GiB, gap, hour, level, line, MiB, type Stretch } from "../shape.ts";
import { onHost } from "../words.ts";

const end = 4 * hour;
const urgent = 'alertname="LeakwatchMemoryLeakUrgent"';
const leak = [line(300 * MiB, 300 * MiB + 5 * MiB * end, end)];

/** Memory with a limit that changes, or a clock that is ahead by some minutes. */
const adjusted = (
  group: string,
  memory: readonly Stretch[],
  {
    limits = [level(2 * GiB, end)],
    clockAhead = 0,
    age = 0,
  }: { limits?: readonly Stretch[]; clockAhead?: number; age?: number },
): InputSeries[] => toldOf(onHost(group), { memory, starts: [level(-age * 60, end)], limits, clockAhead });

export const badInput = (): RuleTestFile => ({
  evaluation: evaluation.fast,
  tests: [
    {
      name: "limits that change; 5 MiB a minute, or level",
      situations: [
        situation(
          "a leak whose limit is raised from 1 to 4 GiB after 100 minutes",
          adjusted("raised", leak, { limits: [level(GiB, 100), level(4 * GiB, end - 100)] }),
        ),
        situation(
          "a leak whose limit is lowered from 16 to 2 GiB after 2 hours",
          adjusted("lowered", leak, { limits: [level(16 * GiB, 2 * hour), level(2 * GiB, 2 * hour)] }),
        ),
        situation(
          "level at 500 MiB, under 2 GiB, 600 MiB, none, and 1 GiB",
          adjusted("level", [level(500 * MiB, end)], {
            limits: [level(2 * GiB, hour), level(600 * MiB, hour), gap(hour), level(GiB, hour)],
            age: day,
          }),
        ),
      ],
      expect: [
        firedFor("the one that has two hours left", 99, urgent, "raised"),
        holds(
          "with the new limit it has some eleven hours: (4096 - 300 - 5 · 120 MiB) / 5 MiB a minute",
          2 * hour,
          'max(round(slot:leakwatch_memory_time_to_oom_seconds:estimate{group="raised"} / 3600))',
          { labels: "{}", value: 11 },
        ),
        holds(
          "and an hour later it is none",
          190,
          `group by (group) (ALERTS{alertstate="firing",${urgent},group="raised"})`,
        ),
        firedFor(
          "the other when forty minutes of hours left have been seen",
          170,
          `${urgent},group="lowered"`,
          "lowered",
        ),
        neverFired("no limit makes a leak of a level process", end - 1, 'class="leak",group="level"'),
      ],
    },
    {
      name: "clocks that disagree by five minutes; an exporter that is restarted",
      situations: [
        situation(
          "a leak that seems to have begun five minutes after it did",
          adjusted("later", leak, { clockAhead: 5 }),
        ),
        situation("a leak that seems to have begun five minutes before", adjusted("earlier", leak, { clockAhead: -5 })),
        situation("one that seems to begin in the future, by an hour", adjusted("future", leak, { clockAhead: hour })),
        situation(
          "a restart with more memory than before, which seems to have been five minutes earlier",
          toldOf(onHost("restarted"), {
            memory: [level(200 * MiB, hour), level(700 * MiB, 3 * hour)],
            starts: [level(-day * 60, hour), level(hour * 60, 3 * hour)],
            limits: [level(GiB, end)],
            clockAhead: -5,
          }),
        ),
        situation(
          "a leak whose exporter is restarted after an hour: three scrapes are missing, and the counters begin at 0",
          toldOf(onHost("unseen"), {
            memory: [line(300 * MiB, 600 * MiB, 60), gap(3), line(615 * MiB, 1500 * MiB, 177)],
            starts: [level(0, end)],
            limits: [level(2 * GiB, end)],
            exporterRestarts: [63],
          }),
          ledgerOf(onHost("unseen"), end, endsAt([10, 20, 30], "exit"), [hour]),
        ),
      ],
      expect: [
        firedFor(
          "every leak is found, the future one when its time has come, and nothing else",
          end - 1,
          'class="leak"',
          "earlier",
          "future",
          "later",
          "unseen",
        ),
        firedFor("a wrong clock costs some minutes", 110, urgent, "earlier", "later"),
        firedFor("and a restart a quarter of an hour", 125, urgent, "earlier", "future", "later", "unseen"),
        neverFired("counters that begin at 0 are no restarts", end - 1, 'class="restarts"'),
      ],
    },
  ],
});
