// The result as one line that GitHub shows at the run of a workflow.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands

import { shownName } from "../terminal/shown-text.ts";
import { visible } from "../text/visible.ts";
import { wordOf, wordText } from "./exit-code.ts";
import { meaningOf } from "./meaning.ts";
import type { Outcome } from "./observe.ts";

const commands = { leaking: "error", suspicious: "warning", no_leak_seen: "notice", no_verdict: "warning" } as const;

export function annotation(outcome: Outcome): string {
  const word = wordOf(outcome);
  const [first] = outcome.processes;
  const title = `leakwatch: ${wordText(word)}${first === undefined ? "" : `, ${shownName(first.observed.group)}`}`;
  const text = first === undefined ? (outcome.endedEarly ?? "no process was seen") : meaningOf(first, outcome);
  return `::${commands[word]} title=${property(title)}::${data(text)}\n`;
}

const data = (text: string) => visible(text).replaceAll("%", "%25");

const property = (text: string) => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
