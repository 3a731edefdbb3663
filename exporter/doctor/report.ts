// All findings, as text for a terminal and as JSON for programs.

import { type Paint, painter, type Style } from "../terminal/colour.ts";
import { shownText } from "../terminal/shown-text.ts";
import { widest, wrap } from "../terminal/wrap.ts";
import { counted, listed } from "../text/words.ts";
import { exitCodeOf, type Finding, type Status } from "./finding.ts";

const marks: Record<Status, { mark: string; word: string; style: Style }> = {
  ok: { mark: "✔", word: "ok", style: "green" },
  warning: { mark: "▲", word: "warning", style: "yellow" },
  failure: { mark: "✖", word: "failure", style: ["red", "bold"] },
  unknown: { mark: "?", word: "unknown", style: "cyan" },
};

const gutter = 12;

/** What a finding may hold. Texts in bytes. */
const most = { sentence: 4096, detail: 1024, details: 1000 } as const;

export interface TextOptions {
  readonly colour: boolean;
  /** The names and numbers behind each sentence too. */
  readonly verbose: boolean;
  /** Of the terminal. */
  readonly columns?: number;
  /** What was not asked, with the option that would. */
  readonly notAsked?: readonly string[];
}

export function renderText(
  all: readonly Finding[],
  { colour, verbose, columns = widest, notAsked = [] }: TextOptions,
): string {
  const findings = all.map(shown);
  const paint = painter(colour);
  const lines: string[] = [];
  let section: string | undefined;
  for (const finding of findings) {
    if (finding.section !== section) {
      if (section !== undefined) lines.push("");
      lines.push(paint("bold", finding.section));
      section = finding.section;
    }
    const { mark, word, style } = marks[finding.status];
    const [first = "", ...rest] = wrap(finding.sentence, columns - gutter);
    lines.push(`${paint(style, `  ${mark} ${word.padEnd(gutter - 4)}`)}${first}`, ...rest.map(indented));
    const [advice, ...more] = finding.advice === undefined ? [] : wrap(finding.advice, columns - gutter - 2);
    if (advice !== undefined) lines.push(indented(`→ ${advice}`), ...more.map((line) => indented(`  ${line}`)));
    const details = verbose ? [`id: ${finding.id}`, ...(finding.details ?? [])] : [];
    for (const detail of details)
      for (const line of wrap(detail, columns - gutter - 2)) lines.push(paint("dim", indented(`· ${line}`)));
  }
  lines.push("", closing(findings, paint));
  if (notAsked.length > 0)
    lines.push(...wrap(`Not asked: ${listed(notAsked)}.`, columns).map((line) => paint("dim", line)));
  return `${lines.join("\n")}\n`;
}

function closing(findings: readonly Finding[], paint: Paint): string {
  const count = (status: Status) => findings.filter((finding) => finding.status === status).length;
  const notes = [
    ...(count("failure") > 0 ? [counted(count("failure"), "failure")] : []),
    ...(count("warning") > 0 ? [counted(count("warning"), "warning")] : []),
    ...(count("unknown") > 0 ? [`${count("unknown")} unknown`] : []),
  ];
  const tail = notes.length === 0 ? "" : ` ${listed(notes)} in ${counted(findings.length, "check")}.`;
  switch (exitCodeOf(findings)) {
    case 0:
      return paint(marks.ok.style, "All is fine.") + (tail || ` ${counted(findings.length, "check")}.`);
    case 1:
      return paint(marks.warning.style, "It works, and could be better.") + tail;
    case 2:
      return paint(marks.failure.style, "It cannot work like this.") + tail;
  }
}

export interface JsonReport {
  readonly version: string;
  readonly status: "ok" | "warning" | "failure";
  readonly exit_code: 0 | 1 | 2;
  readonly findings: readonly Finding[];
}

export function asJson(findings: readonly Finding[], version: string): JsonReport {
  const exitCode = exitCodeOf(findings);
  const status = (["ok", "warning", "failure"] as const)[exitCode];
  return { version, status, exit_code: exitCode, findings: findings.map(shown) };
}

/** Sentences hold names of processes and what servers say: all of them are cut and made visible here. */
function shown({ sentence, advice, details, ...finding }: Finding): Finding {
  const more = (details?.length ?? 0) - most.details;
  const first = details?.slice(0, most.details).map((detail) => shownText(detail, most.detail));
  return {
    ...finding,
    sentence: shownText(sentence, most.sentence),
    ...(advice === undefined ? {} : { advice: shownText(advice, most.sentence) }),
    ...(first === undefined ? {} : { details: more > 0 ? [...first, `and ${more} more`] : first }),
  };
}

const indented = (line: string) => " ".repeat(gutter) + line;
