// The result as JUnit's XML, which every CI shows: one test case for each process.
// https://github.com/testmoapp/junitxml

import { shownName } from "../terminal/shown-text.ts";
import { visible } from "../text/visible.ts";
import { wordOf, wordText } from "./exit-code.ts";
import { meaningOf } from "./meaning.ts";
import type { Outcome, ProcessOutcome } from "./observe.ts";

/** What is suspicious fails as what leaks does, as the exit code says; no verdict is an error. Processes that lived too short are left out. */
export function junit(outcome: Outcome): string {
  const judged = outcome.processes.filter(({ answer }) => answer.word !== "no_verdict");
  const cases = judged.map((target) => caseOf(target, outcome));
  if (wordOf(outcome) === "no_verdict") {
    const why = outcome.endedEarly ?? "no process was seen for long enough";
    cases.push(testcase("leakwatch detect", outcome, `<error message="${escaped(`No verdict: ${why}.`)}"/>`));
  }
  const count = (element: string) => cases.filter((text) => text.includes(`<${element} `)).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="leakwatch detect" tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}" skipped="0" time="${outcome.took.toFixed(1)}">`,
    ...cases,
    "</testsuite>",
    "",
  ].join("\n");
}

function caseOf(target: ProcessOutcome, outcome: Outcome): string {
  const { word } = target.answer;
  const name = `${shownName(target.observed.group)} (pid ${target.observed.pid})`;
  const text = escaped(meaningOf(target, outcome));
  if (word === "no_leak_seen") return testcase(name, outcome, `<system-out>${text}</system-out>`);
  return testcase(name, outcome, `<failure type="${word}" message="${wordText(word)}">${text}</failure>`);
}

const testcase = (name: string, { took }: Outcome, content: string) =>
  `  <testcase classname="leakwatch" name="${escaped(name)}" time="${took.toFixed(1)}">${content}</testcase>`;

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

const escaped = (text: string) => visible(text).replace(/[&<>"']/g, (character) => entities[character] as string);
