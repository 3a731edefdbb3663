// All findings, as text for a terminal and as JSON for programs.

import { stripVTControlCharacters, styleText } from "node:util";
import { exitCodeOf, type Finding, type Status } from "./finding.ts";
import { counted, listed } from "./words.ts";

/** Columns of a terminal that everybody has. */
const columns = 100;

const marks: Record<Status, { mark: string; word: string; style: Parameters<typeof styleText>[0] }> = {
  ok: { mark: "✔", word: "ok", style: "green" },
  warning: { mark: "▲", word: "warning", style: "yellow" },
  failure: { mark: "✖", word: "failure", style: ["red", "bold"] },
  unknown: { mark: "?", word: "unknown", style: "cyan" },
};

const gutter = 12;

export interface TextOptions {
  readonly colour: boolean;
  /** The names and numbers behind each sentence too. */
  readonly verbose: boolean;
  /** What was not asked, with the option that would. */
  readonly notAsked?: readonly string[];
}

export function renderText(findings: readonly Finding[], { colour, verbose, notAsked = [] }: TextOptions): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
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

function closing(
  findings: readonly Finding[],
  paint: (style: Parameters<typeof styleText>[0], text: string) => string,
): string {
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
  return { version, status: (["ok", "warning", "failure"] as const)[exitCode], exit_code: exitCode, findings };
}

const indented = (line: string) => " ".repeat(gutter) + line;

/** Breaks at blanks. Names of processes can hold escape sequences, which are taken out. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
}
