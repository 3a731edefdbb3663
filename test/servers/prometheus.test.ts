// What comes out of a real Prometheus is what the kernel says.

import http from "node:http";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ExporterProcess } from "../support/exporter-process.ts";
import { Prometheus, promtoolComplaints } from "../support/prometheus.ts";
import { parseScrape } from "../support/scrape.ts";
import { listFds, newGroup, startTime, statusField, Target } from "../support/targets.ts";

/** As Prometheus 2.42 sends it. */
const acceptOfPrometheus =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

describe("a Prometheus server", () => {
  test("takes every scrape, and has the values of /proc", async () => {
    const group = newGroup("api");
    const target = await Target.start("hog.ts", ["--hold=30", `--group=${group}`]);
    await target.freeze();
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.start(exporter.url);
    await prometheus.until("sum_over_time(up[1m])", ([good]) => (good?.value ?? 0) >= 5);

    const { pid } = target;
    for (const [name, value] of [
      ["resident_memory_bytes", statusField(pid, "VmRSS")],
      ["anonymous_memory_bytes", statusField(pid, "RssAnon")],
      ["threads", statusField(pid, "Threads")],
      ["open_fds", listFds(pid)],
      ["start_time_seconds", startTime(pid)],
    ] as const) {
      const series = `leakwatch_process_${name}{group="${group}"}`;
      const found = await prometheus.until(series, ({ length }) => length > 0);
      expect(found, name).toMatchObject([{ metric: { slot: "0", job: "leakwatch" }, value }]);
    }

    const own = parseScrape(await (await fetch(`${prometheus.url}/metrics`)).text());
    expect(own.sum("prometheus_target_scrapes_sample_out_of_order_total")).toBe(0);
    expect(own.sum("prometheus_target_scrapes_sample_duplicate_timestamp_total")).toBe(0);
    expect(complaints(prometheus)).toEqual([]);
  });

  test("is given OpenMetrics, and so knows the units", async () => {
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.start(exporter.url);
    await prometheus.until("up", ([up]) => up?.value === 1);
    const units = async (metric: string) => {
      const found = (await prometheus.api("targets/metadata", { metric })) as { type: string; unit: string }[];
      return found.map(({ type, unit }) => ({ type, unit }));
    };
    expect(await units("leakwatch_node_memory_bytes")).toEqual([{ type: "gauge", unit: "bytes" }]);
    // OpenMetrics names the family without _total
    expect(await units("leakwatch_samples")).toEqual([{ type: "counter", unit: "" }]);
  });

  test("forgets a process as soon as it has ended, and keeps the counters of its group", async () => {
    const group = newGroup("job");
    const target = await Target.start("hog.ts", [`--group=${group}`]);
    const exporter = await ExporterProcess.start();
    const prometheus = await Prometheus.start(exporter.url);
    const memory = `leakwatch_process_resident_memory_bytes{group="${group}"}`;
    await prometheus.until(memory, (found) => found.length === 1);
    await target.end();
    // both in one query: when a scrape fails, all series of the exporter are gone for a while
    const withoutMemory = `leakwatch_group_lives_ended_total{group="${group}"} unless on (group) ${memory}`;
    expect(await prometheus.until(withoutMemory, (found) => found.length === 1)).toMatchObject([{ value: 1 }]);
  });
});

describe("the exposition of this machine", () => {
  test("has nothing that promtool complains about", async () => {
    const exporter = await ExporterProcess.start({ config: "smaps: { enabled: true }" });
    const { text, samples } = await exporter.scrape({ Accept: "text/plain" });
    expect(samples.length).toBeGreaterThan(100);
    expect(promtoolComplaints(text)).toBe("");
    expect(promtoolComplaints(text.replaceAll("_total", "_count"))).not.toBe(""); // promtool does look
  });

  test("has the same samples in both formats, compressed or not", async () => {
    const target = await Target.start("cluster.ts", ["--workers=3", `--group=${newGroup("web")}`]);
    const exporter = await ExporterProcess.start({
      config: "sampling: { interval: 5m, max_age: 5m }", // one pass for all answers
    });
    await exporter.untilWatched(target.pid);
    const answers = await Promise.all(
      ["text/plain", acceptOfPrometheus].flatMap((accept) =>
        ["identity", "gzip"].map((encoding) => get(`${exporter.url}/metrics`, accept, encoding)),
      ),
    );
    const [text, gzippedText, openMetrics, gzippedOpenMetrics] = answers;
    expect(answers.map(({ type }) => type)).toEqual([
      "text/plain; version=0.0.4; charset=utf-8",
      "text/plain; version=0.0.4; charset=utf-8",
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    ]);
    expect(answers.map(({ encoding }) => encoding)).toEqual([undefined, "gzip", undefined, "gzip"]);
    expect(gzippedText?.body).toBe(text?.body);
    expect(gzippedOpenMetrics?.body).toBe(openMetrics?.body);
    expect(gzippedText?.bytes).toBeLessThan((text?.bytes ?? 0) / 4);
    expect(openMetrics?.body.endsWith("\n# EOF\n")).toBe(true);
    const watched = (body = "") => parseScrape(body).samples.filter(({ name }) => /^leakwatch_(?!scrape)/.test(name));
    expect(watched(openMetrics?.body)).toEqual(watched(text?.body));
  });
});

/** Lines about bad or failed scrapes. That one took too long says more about this machine than about the exporter. */
function complaints(prometheus: Prometheus): string[] {
  const lines = prometheus.log().split("\n");
  return lines.filter((line) => /level=(warn|error)|scrape failed/i.test(line) && !line.includes("deadline exceeded"));
}

/** With exactly these headers: fetch would add its own. */
function get(url: string, accept: string, acceptEncoding: string) {
  return new Promise<{ type: string | undefined; encoding: string | undefined; bytes: number; body: string }>(
    (resolve, reject) => {
      const headers = { accept, "accept-encoding": acceptEncoding };
      const request = http.get(url, { agent: false, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const sent = Buffer.concat(chunks);
          const encoding = response.headers["content-encoding"];
          resolve({
            type: response.headers["content-type"],
            encoding,
            bytes: sent.length,
            body: (encoding === "gzip" ? gunzipSync(sent) : sent).toString(),
          });
        });
      });
      request.on("error", reject);
    },
  );
}
