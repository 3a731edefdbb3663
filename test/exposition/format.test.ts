import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { counter, gauge, info } from "../../catalog/metric.ts";
import {
  endOf,
  type Format,
  familyHeader,
  labelText,
  negotiate,
  selfMetricsAs,
} from "../../exporter/exposition/format.ts";
import { content, parseOpenMetrics } from "./promtool.ts";

describe("negotiate", () => {
  test.each<[client: string, accept: string | undefined, format: Format]>([
    [
      "Prometheus 2.42",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "Prometheus 3",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "Prometheus 3 that would rather have protobuf",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "Prometheus 3 told to scrape text",
      "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.1",
      "text",
    ],
    ["Prometheus before 2.5", "text/plain;version=0.0.4;q=1,*/*;q=0.1", "text"],
    ["a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "text"],
    ["curl", "*/*", "text"],
    ["a client that says nothing", undefined, "text"],
    ["a client that refuses OpenMetrics", "application/openmetrics-text;q=0, text/plain", "text"],
    ["a client that likes both the same", "text/plain, application/openmetrics-text", "openmetrics"],
    ["a client of a later OpenMetrics", "application/openmetrics-text;version=2.0.0", "text"],
    ["a client with other letters and blanks", "Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.9", "openmetrics"],
    ["a client whose weight is no number", "application/openmetrics-text;q=high", "text"],
  ])("%s", (_, accept, format) => {
    expect(negotiate(accept)).toBe(format);
  });
});

describe("labelText", () => {
  const metric = gauge("leakwatch_test", "A test.", { labels: ["group", "slot"] });

  test.each([
    ["plain text", "api", '{group="api",slot="0"}'],
    ["quotes", 'say "hi"', String.raw`{group="say \"hi\"",slot="0"}`],
    ["a newline", "two\nlines", String.raw`{group="two\nlines",slot="0"}`],
    ["backslashes", String.raw`C:\new`, String.raw`{group="C:\\new",slot="0"}`],
    ["all of them", '\\"\n', String.raw`{group="\\\"\n",slot="0"}`],
    ["letters of the world", "größe 日本 🚰", '{group="größe 日本 🚰",slot="0"}'],
    ["nothing", "", '{group="",slot="0"}'],
  ])("writes %s", (_, group, expected) => {
    expect(labelText(metric, { slot: "0", group })).toBe(expected);
  });

  test("writes nothing for a metric without labels", () => {
    expect(labelText(gauge("leakwatch_test", "A test."), {})).toBe("");
  });
});

describe("familyHeader", () => {
  test.each([
    [
      "a gauge",
      gauge("leakwatch_test_bytes", "Its size.", { unit: "bytes" }),
      "# HELP leakwatch_test_bytes Its size.\n# TYPE leakwatch_test_bytes gauge\n",
      "# TYPE leakwatch_test_bytes gauge\n# UNIT leakwatch_test_bytes bytes\n# HELP leakwatch_test_bytes Its size.\n",
    ],
    [
      "a counter, which OpenMetrics names without its ending",
      counter("leakwatch_test_seconds_total", "Its time.", { unit: "seconds" }),
      "# HELP leakwatch_test_seconds_total Its time.\n# TYPE leakwatch_test_seconds_total counter\n",
      "# TYPE leakwatch_test_seconds counter\n# UNIT leakwatch_test_seconds seconds\n# HELP leakwatch_test_seconds Its time.\n",
    ],
    [
      "a count without a unit",
      counter("leakwatch_test_total", "How often."),
      "# HELP leakwatch_test_total How often.\n# TYPE leakwatch_test_total counter\n",
      "# TYPE leakwatch_test counter\n# HELP leakwatch_test How often.\n",
    ],
    [
      "an info, which the text format does not know",
      info("leakwatch_test_info", "Its name.", { labels: ["name"] }),
      "# HELP leakwatch_test_info Its name.\n# TYPE leakwatch_test_info gauge\n",
      "# TYPE leakwatch_test info\n# HELP leakwatch_test Its name.\n",
    ],
    [
      "help with quotes, which only OpenMetrics escapes, a newline and a backslash",
      gauge("leakwatch_test", 'a "b"\nc\\d'),
      '# HELP leakwatch_test a "b"\\nc\\\\d\n# TYPE leakwatch_test gauge\n',
      '# TYPE leakwatch_test gauge\n# HELP leakwatch_test a \\"b\\"\\nc\\\\d\n',
    ],
  ])("of %s", (_, metric, text, openmetrics) => {
    expect(familyHeader(metric, "text")).toBe(text);
    expect(familyHeader(metric, "openmetrics")).toBe(openmetrics);
  });
});

describe("selfMetricsAs", () => {
  const classic = `# HELP process_cpu_seconds_total CPU time.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5

# HELP nodejs_active_handles_total Handles now.
# TYPE nodejs_active_handles_total gauge
nodejs_active_handles_total 4
`;

  test("leaves the text format as it is", () => {
    expect(selfMetricsAs("text", classic)).toBe(classic);
  });

  test("names counters, and only counters, without their ending, and leaves no empty line", () => {
    expect(selfMetricsAs("openmetrics", classic)).toBe(`# HELP process_cpu_seconds CPU time.
# TYPE process_cpu_seconds counter
process_cpu_seconds_total 1.5
# HELP nodejs_active_handles_total Handles now.
# TYPE nodejs_active_handles_total gauge
nodejs_active_handles_total 4
`);
  });

  test("makes of prom-client's counters, gauges and histograms what Prometheus can read", async () => {
    const register = new Registry();
    const common = { help: 'Help with "quotes".', registers: [register] };
    new Counter({ name: "requests_total", labelNames: ["code"], ...common }).inc({ code: '2"00"' }, 3);
    new Gauge({ name: "open_total", ...common }).set(2);
    new Histogram({ name: "wait_seconds", buckets: [0.1, 1], ...common }).observe(0.5);
    const text = selfMetricsAs("openmetrics", await register.metrics());
    expect(text).toContain("# TYPE requests counter\n");
    expect(text).toContain('wait_seconds_bucket{le="+Inf"} 1\n');
    expect(parseOpenMetrics(text + endOf("openmetrics"))).toEqual(content);
  });
});

describe("endOf", () => {
  test("lets Prometheus see that a body in OpenMetrics was cut short", () => {
    const whole = "# TYPE leakwatch_test gauge\nleakwatch_test 1\n";
    expect(parseOpenMetrics(whole + endOf("openmetrics"))).toEqual(content);
    expect(parseOpenMetrics(whole).said).toContain("does not end with # EOF");
    expect(endOf("text")).toBe("");
  });
});
