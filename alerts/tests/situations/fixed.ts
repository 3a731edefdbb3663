// Leaks and no leaks that people have met, whatever the thresholds are. The clock begins at midnight.

import { evaluation } from "../../../catalog/windows.ts";
import { firedFor, holds, type RuleTestFile, situation } from "../rule-test.ts";
import { endsAt, every, ledgerOf, memoryOf } from "../series.ts";
import { bend, day, hour, level, line, teeth, times } from "../shape.ts";
import { onHost } from "../words.ts";

/** People say MB. */
const MB = 1e6;
const end = 3 * day;
const leak = 'alertname=~"LeakwatchMemoryLeak.*"';

export const fixedCases = (): RuleTestFile => ({
  evaluation: evaluation.slow,
  tests: [
    {
      name: "three days",
      situations: [
        situation(
          "600 to 700 MB in three days: rises from 9 to 23 o'clock, and is flat at night",
          memoryOf(onHost("rises-by-day"), 2000 * MB, {
            memory: times(3, (i) => {
              const morning = (600 + (100 / 3) * i) * MB;
              const evening = morning + (100 / 3) * MB;
              return [level(morning, 9 * hour), line(morning, evening, 14 * hour), level(evening, hour)];
            }),
            age: day,
          }),
        ),
        situation(
          "50 MB an hour, whatever the traffic",
          memoryOf(onHost("fifty-an-hour"), 6000 * MB, { memory: [line(300 * MB, 3900 * MB, end)], age: 50 }),
        ),
        situation(
          "would be out of memory after two and a half hours, but cron restarts it every two",
          memoryOf(
            onHost("cron-before-oom"),
            1050 * MB,
            ...Array.from({ length: 36 }, () => ({ memory: [line(300 * MB, 900 * MB, 2 * hour)] })),
          ),
          ledgerOf(onHost("cron-before-oom"), end, endsAt(every(2 * hour, 2 * hour, end), "scheduled", true)),
        ),
        situation(
          "three workers, of which the second leaks 20 MB an hour",
          memoryOf(onHost("one-worker"), 8000 * MB, { memory: [level(300 * MB, end)], age: day }),
          memoryOf(onHost("one-worker", { slot: "1" }), 8000 * MB, {
            memory: [line(300 * MB, 1740 * MB, end)],
            age: day,
          }),
          memoryOf(onHost("one-worker", { slot: "2" }), 8000 * MB, { memory: [level(310 * MB, end)], age: day }),
        ),
        situation(
          "a heap that is collected every two hours, over a floor that rises by 20 MB an hour",
          memoryOf(onHost("under-garbage"), 8000 * MB, {
            memory: teeth((tooth) => (300 + 40 * tooth) * MB, 400 * MB, 2 * hour, 36),
            age: day,
          }),
        ),
        situation(
          "a cache that fills for eight hours, and is full",
          memoryOf(onHost("cache"), 1500 * MB, {
            memory: [line(300 * MB, 1100 * MB, 8 * hour), level(1100 * MB, end - 8 * hour)],
          }),
        ),
        situation(
          "a JVM whose heap grows to its maximum, slower and slower",
          memoryOf(onHost("jvm"), 2400 * MB, {
            memory: [...bend(400 * MB, 1600 * MB, 80, 10 * hour), level(1600 * MB, end - 10 * hour)],
          }),
        ),
        situation(
          "level at 95 % of its limit",
          memoryOf(onHost("full-and-level"), 1000 * MB, { memory: [level(950 * MB, end)], age: day }),
        ),
      ],
      expect: [
        firedFor(
          "every leak is found, and nothing else",
          end - 5,
          leak,
          "cron-before-oom",
          "fifty-an-hour",
          "one-worker",
          "rises-by-day",
          "under-garbage",
        ),
        holds(
          "of the workers only the one that leaks",
          end - 5,
          'group by (slot) (ALERTS{alertstate="firing",class="leak",group="one-worker"})',
          { labels: '{slot="1"}', value: 1 },
        ),
        firedFor("restarts do not hide it", end - 5, 'alertname="LeakwatchMemoryLeakMasked"', "cron-before-oom"),
        firedFor("too little room is not called a leak", end - 5, 'class="capacity"', "full-and-level"),
      ],
    },
  ],
});

const night = 8 * hour;

/** What may page must be looked at by the minute. */
export const fixedCasesByTheMinute = (): RuleTestFile => ({
  evaluation: evaluation.fast,
  tests: [
    {
      name: "eight hours",
      situations: [
        situation(
          "5 MB a minute for four hours; then it is killed, and the next version is fine",
          memoryOf(
            onHost("five-a-minute"),
            1500 * MB,
            { memory: [line(300 * MB, 1500 * MB, 4 * hour)] },
            { memory: [level(300 * MB, night - 4 * hour)] },
          ),
        ),
        situation(
          "would be out of memory after two and a half hours, but cron restarts it every two",
          memoryOf(
            onHost("cron-before-oom"),
            1050 * MB,
            ...Array.from({ length: 4 }, () => ({ memory: [line(300 * MB, 900 * MB, 2 * hour)] })),
          ),
        ),
        situation(
          "a cache that fills for eight hours",
          memoryOf(onHost("cache"), 1500 * MB, { memory: [line(300 * MB, 1100 * MB, night)] }),
        ),
        situation(
          "a JVM whose heap grows to its maximum, slower and slower",
          memoryOf(onHost("jvm"), 2400 * MB, { memory: bend(400 * MB, 1600 * MB, 80, night) }),
        ),
      ],
      expect: [
        firedFor("the leaks within two hours, and nothing else", 2 * hour, leak, "cron-before-oom", "five-a-minute"),
        firedFor(
          "nothing else pages after them either",
          night - 1,
          'class="leak",severity="critical"',
          "cron-before-oom",
          "five-a-minute",
        ),
      ],
    },
  ],
});
