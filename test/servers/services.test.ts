// Debian's servers, started, reloaded, upgraded and restarted as people do it, their workers renewed, under the names that they have
// without any rule: which of it is a restart?

import { expect, test } from "vitest";
import { rules } from "../../detection/rules.ts";
import { ExporterProcess } from "../support/exporter-process.ts";
import type { Scrape } from "../support/scrape.ts";
import { type Mode, programs, Service } from "../support/services.ts";

type Name = keyof typeof programs;

test.each<Mode>(["supervised", "daemon"])(
  "of all that happens to a server (%s), only its restart is one",
  async (mode) => {
    const exporter = await ExporterProcess.start({ config: "sampling: { interval: 500ms, max_age: 0s }" });
    await Promise.all((Object.keys(programs) as Name[]).map((name) => liveThrough(exporter, name, mode)));
  },
);

/** Everything that happens to one server, and what is counted after each. */
async function liveThrough(exporter: ExporterProcess, name: Name, mode: Mode): Promise<void> {
  const service = await Service.start(name, mode);
  const { group } = service;
  const restartsAfter = async (what: string) => {
    const scrape = await exporter.until(`${name}, ${what}`, (found) => isWholly(found, service) && found);
    return { [`${name}, ${what}`]: scrape.sum("leakwatch_group_restarts_total", { group }) };
  };
  expect(await restartsAfter("started")).toEqual({ [`${name}, started`]: 0 });
  await service.reload();
  expect(await restartsAfter("reloaded")).toEqual({ [`${name}, reloaded`]: 0 });
  // it does so only as a daemon: a supervisor would take it for ended
  if (name === "nginx" && mode === "daemon") {
    await service.upgrade();
    expect(await restartsAfter("upgraded")).toEqual({ [`${name}, upgraded`]: 0 });
  }
  await service.restart();
  expect(await restartsAfter("restarted")).toEqual({ [`${name}, restarted`]: 1 });

  const recycled = await service.recycle();
  const reason = "recycled";
  const workerExits = "leakwatch_group_worker_exits_total";
  const last = await exporter.until(`${name}, recycled`, (scrape) => {
    return (scrape.value(workerExits, { group, reason }) ?? 0) >= recycled && scrape;
  });
  expect(last.sum(workerExits, { group })).toBe(last.value(workerExits, { group, reason }));
  expect({ [name]: last.sum("leakwatch_group_restarts_total", { group }) }).toEqual({ [name]: 1 });
  expect(1).toBeLessThan(rules.restarts.loop.count);
  expect(await verdictOf(exporter, group)).not.toBe("restart_loop");
}

/** Are its master and all its workers watched, and nothing else of that name? */
function isWholly(scrape: Scrape, { group, isComplete, processes }: Service): boolean {
  const watched = scrape.all("leakwatch_process_info", { group }).map(({ labels }) => Number(labels["pid"]));
  return isComplete && watched.length === processes.length && processes.every((pid) => watched.includes(pid));
}

async function verdictOf({ url }: ExporterProcess, group: string): Promise<string | undefined> {
  const { data } = (await (await fetch(`${url}/api/v1/groups`)).json()) as {
    data: { group: string; verdict: string }[];
  };
  return data.find((one) => one.group === group)?.verdict;
}
