// The page: one card per alert of a message, newest message first. No script: it asks for itself again every few seconds.

const refreshSeconds = 5;

export function page(notifications, { speed = 1, now = new Date() } = {}) {
  const list = notifications.list();
  const firing = stillFiring(list);
  const title = firing.length === 0 ? "Notifications" : `(${firing.length}) Notifications`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${refreshSeconds}">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Notifications</h1>
<p>${summary(notifications.received, firing.length)}${speed === 1 ? "" : ` <span class="clock">demo clock: ${html(speed)} times faster than life</span>`}</p>
</header>
<main>
${list.length === 0 ? nothing : list.map((message) => article(message, now)).join("\n")}
</main>
</body>
</html>
`;
}

const nothing = `<p class="nothing">Nothing yet. What Alertmanager sends to <code>POST /webhook</code> appears here.</p>`;

function summary(received, firing) {
  if (received === 0) return "All quiet.";
  const messages = `${received} ${received === 1 ? "message" : "messages"} so far`;
  return firing === 0 ? `Nothing is firing. ${messages}.` : `<strong>${firing} firing.</strong> ${messages}.`;
}

/** An alert's newest message says how it stands. */
function stillFiring(list) {
  const newest = new Map();
  for (const { alerts } of list) {
    for (const alert of alerts) {
      const key = alert.fingerprint || JSON.stringify(alert.labels);
      if (!newest.has(key)) newest.set(key, alert);
    }
  }
  return [...newest.values()].filter(({ status }) => status === "firing");
}

function article({ alerts, receivedAt, receiver, truncatedAlerts }, now) {
  const more =
    truncatedAlerts > 0 ? `<p class="more">and ${truncatedAlerts} more alerts that the message left out</p>` : "";
  return `<section>
<h2><time datetime="${html(receivedAt)}">${html(receivedAt.slice(11, 19))} UTC</time> <span>${ago(now - new Date(receivedAt))}${receiver ? `, to ${html(receiver)}` : ""}</span></h2>
${alerts.map(card).join("\n")}${more}
</section>`;
}

function card({ status, labels, annotations, startsAt, endsAt, generatorURL }) {
  const { alertname = "Alert", severity = "", ...others } = labels;
  const kind =
    status === "resolved"
      ? "resolved"
      : severity === "critical"
        ? "critical"
        : severity === "info"
          ? "info"
          : "warning";
  const links = [
    ["Dashboard", annotations.dashboard_url],
    ["Runbook", annotations.runbook_url],
    ["Query", generatorURL],
  ].filter(([, url]) => /^https?:\/\//.test(url ?? ""));
  const chips = Object.entries(others).map(([name, value]) => `<li>${html(name)}=<b>${html(value)}</b></li>`);
  const facts = [
    ["Verdict", annotations.verdict?.replaceAll("_", " ")],
    ["Growth", annotations.growth],
    ["Time left", annotations.time_left],
  ].filter(([, value]) => value);
  const times = status === "resolved" ? `from ${time(startsAt)} to ${time(endsAt)}` : `since ${time(startsAt)}`;
  return `<article class="${kind}">
<p class="state"><span class="badge">${status === "resolved" ? "resolved" : `firing${severity ? `, ${html(severity)}` : ""}`}</span> <b>${html(alertname)}</b> <span class="times">${times}</span></p>
<h3>${html(annotations.summary || alertname)}</h3>
${annotations.description ? `<p class="description">${html(annotations.description)}</p>` : ""}
${facts.length > 0 ? `<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${html(value)}</dd></div>`).join("")}</dl>` : ""}
<ul>${chips.join("")}</ul>
${links.length > 0 ? `<nav>${links.map(([name, url]) => `<a href="${html(url)}" rel="noreferrer">${name}</a>`).join("")}</nav>` : ""}
</article>`;
}

const time = (text) => (/T\d\d:\d\d:\d\d/.test(text) ? html(text.slice(11, 19)) : "?");

function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const html = (value) => String(value).replace(/[&<>"']/g, (char) => entities[char]);

const style = `
:root {
  --page: #f4f5f7; --card: #fff; --text: #1c2128; --quiet: #59636e; --line: #d9dee3; --link: #0a58ca; --chip: #eef0f3;
  --critical: #c62828; --warning: #b45309; --info: #1d63b8; --resolved: #1a7f45;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111418; --card: #1a1f25; --text: #e4e8ec; --quiet: #9aa5b1; --line: #2d353e; --link: #79b0ff; --chip: #262d35;
    --critical: #ff7b72; --warning: #f0a83c; --info: #79b0ff; --resolved: #56c57d;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 54rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
header { margin-bottom: 1.5rem; }
h1 { margin: 0; font-size: 1.5rem; }
header p { margin: .25rem 0 0; color: var(--quiet); }
header strong { color: var(--text); }
.clock { margin-left: .5rem; padding: .1rem .6rem; border: 1px solid var(--line); border-radius: 1rem; white-space: nowrap; }
h2 { margin: 1.5rem 0 .5rem; font-size: .85rem; font-weight: 600; font-variant-numeric: tabular-nums; }
h2 span { color: var(--quiet); font-weight: 400; }
article { margin-bottom: .75rem; padding: .8rem 1rem .9rem; background: var(--card); border: 1px solid var(--line);
  border-left: 4px solid var(--accent); border-radius: 6px; }
.critical { --accent: var(--critical); } .warning { --accent: var(--warning); }
.info { --accent: var(--info); } .resolved { --accent: var(--resolved); }
.state { margin: 0; font-size: .85rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; }
.badge { color: var(--accent); font-weight: 700; }
.times { color: var(--quiet); margin-left: auto; font-variant-numeric: tabular-nums; }
h3 { margin: .35rem 0 0; font-size: 1.05rem; line-height: 1.35; overflow-wrap: anywhere; }
.resolved h3 { color: var(--quiet); }
.description { margin: .25rem 0 0; white-space: pre-line; overflow-wrap: anywhere; }
dl { margin: .6rem 0 0; display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; }
dt { font-size: .75rem; color: var(--quiet); }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
ul { margin: .6rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .3rem; font-size: .8rem; }
li { padding: .05rem .5rem; background: var(--chip); border-radius: 4px; color: var(--quiet); overflow-wrap: anywhere; }
li b { color: var(--text); font-weight: 500; }
nav { margin-top: .6rem; display: flex; gap: 1rem; font-size: .9rem; }
a { color: var(--link); text-underline-offset: 2px; }
.nothing { padding: 3rem 1rem; text-align: center; color: var(--quiet); border: 1px dashed var(--line); border-radius: 6px; }
.more { color: var(--quiet); }
`;
