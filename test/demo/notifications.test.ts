// The demo's viewer of notifications.

import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { page } from "../../demo/notifications/page.js";
import { createServer } from "../../demo/notifications/server.js";
import { Notifications } from "../../demo/notifications/store.js";

/** As Alertmanager sends it: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
function message(status: string, ...alerts: object[]) {
  return { version: "4", status, receiver: "page", groupLabels: { alertname: "X" }, truncatedAlerts: 0, alerts };
}

function alert(
  name: string,
  { status = "firing", annotations = {}, labels = {}, ...others }: Record<string, unknown> = {},
) {
  return {
    status,
    labels: { alertname: name, severity: "critical", group: "api", ...(labels as object) },
    annotations: { summary: `${name} happened.`, ...(annotations as object) },
    startsAt: "2026-05-04T10:20:30.5Z",
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus:9090/graph",
    fingerprint: name,
    ...others,
  };
}

function received(...messages: object[]): Notifications {
  const notifications = new Notifications();
  for (const one of messages) notifications.add(one);
  return notifications;
}

async function start(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the page", () => {
  test("says so when nothing came", () => {
    expect(page(new Notifications())).toContain("Nothing yet");
  });

  test("shows the newest message first", () => {
    const html = page(received(message("firing", alert("First")), message("firing", alert("Second"))));
    expect(html.indexOf("Second happened.")).toBeGreaterThan(0);
    expect(html.indexOf("Second happened.")).toBeLessThan(html.indexOf("First happened."));
  });

  test("counts what still fires: a later message resolves an earlier one", () => {
    const notifications = received(
      message("firing", alert("One"), alert("Two")),
      message("resolved", alert("One", { status: "resolved", endsAt: "2026-05-04T11:00:00Z" })),
    );
    expect(page(notifications)).toContain("<title>(1) Notifications</title>");
    expect(page(notifications)).toContain("from 10:20:30 to 11:00:00");
    notifications.add(message("resolved", alert("Two", { status: "resolved" })));
    expect(page(notifications)).toContain("Nothing is firing. 3 messages so far.");
  });

  test("shows the numbers that an alert brings along", () => {
    const annotations = { verdict: "masked_leak", growth: "30MiB per hour", time_left: "2h" };
    const html = page(received(message("firing", alert("Leak", { annotations }))));
    expect(html).toContain("<dd>masked leak</dd>");
    expect(html).toContain("<dd>30MiB per hour</dd>");
  });

  test("shows what comes from outside as text, whatever it is", () => {
    const evil = `"><script>alert(1)</script>`;
    const html = page(
      received(
        message(
          "firing",
          alert(evil, { annotations: { summary: evil, description: evil }, labels: { severity: evil, [evil]: evil } }),
        ),
      ),
    );
    expect(html).not.toContain("<script");
    expect(html).toContain("&lt;script&gt;");
  });

  test("links only to the web", () => {
    const annotations = { dashboard_url: "https://grafana.example/d/x?a=1&b=2", runbook_url: "javascript:alert(1)" };
    const html = page(received(message("firing", alert("X", { annotations }))));
    expect(html).toContain('<a href="https://grafana.example/d/x?a=1&amp;b=2" rel="noreferrer">Dashboard</a>');
    expect(html).not.toContain("javascript:");
  });

  test("says that the clock is fast, when it is", () => {
    expect(page(new Notifications(), { speed: 60 })).toContain("60 times faster than life");
    expect(page(new Notifications())).not.toContain("faster");
  });
});

describe("the server", () => {
  test("keeps what Alertmanager posts", async () => {
    const url = await start();
    const posted = await fetch(`${url}/webhook`, {
      method: "POST",
      body: JSON.stringify(message("firing", alert("Leak"))),
    });
    expect(posted.status).toBe(200);
    const { received, notifications } = (await (await fetch(`${url}/api/notifications`)).json()) as {
      received: number;
      notifications: object[];
    };
    expect(received).toBe(1);
    expect(notifications).toMatchObject([
      {
        status: "firing",
        receiver: "page",
        alerts: [{ labels: { alertname: "Leak" }, annotations: { summary: "Leak happened." } }],
      },
    ]);
    expect(await (await fetch(url)).text()).toContain("Leak happened.");
  });

  test("keeps the last 200", () => {
    const notifications = received(...Array.from({ length: 205 }, (_, i) => message("firing", alert(`A${i}`))));
    expect(notifications.received).toBe(205);
    expect(notifications.list()).toHaveLength(200);
    expect(notifications.list()[0]?.alerts[0]?.labels["alertname"]).toBe("A204");
    expect(notifications.list()[199]?.alerts[0]?.labels["alertname"]).toBe("A5");
  });

  test.each([
    ["no JSON", "{", 400],
    ["null", "null", 400],
    ["no message of Alertmanager", `{"text":"hello"}`, 400],
    ["more than 4 MiB", JSON.stringify("x".repeat(4 * 1024 * 1024)), 413],
  ])("refuses %s, and lives on", async (_, body, status) => {
    const url = await start();
    expect((await fetch(`${url}/webhook`, { method: "POST", body })).status).toBe(status);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test("takes a message whose alerts lack everything", async () => {
    const url = await start();
    const body = JSON.stringify({ alerts: [{}, null] });
    expect((await fetch(`${url}/webhook`, { method: "POST", body })).status).toBe(200);
    expect((await fetch(url)).status).toBe(200);
  });

  test.each(["/webhook", "/nowhere"])("has nothing to get at %s", async (path) => {
    expect((await fetch(`${await start()}${path}`)).status).toBe(404);
  });
});
