// PromQL as a tree, and what is wrong with its types: the checker of Prometheus' own editor, without the editor.

import { createRequire } from "node:module";
import { EditorState } from "@codemirror/state";
import type { SyntaxNode, Tree } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

// Not exported by the package. Its ES modules lack file endings, so it is the CommonJS one.
const { Parser } = createRequire(import.meta.url)("@prometheus-io/codemirror-promql/dist/cjs/parser/parser.js") as {
  Parser: new (state: EditorState) => { tree: Tree; analyze(): void; getDiagnostics(): { message: string }[] };
};

/** Complaints about syntax and types. Only expressions without Grafana's variables. */
export function promqlComplaints(expr: string): string[] {
  const tree = parser.parse(expr);
  const broken: string[] = [];
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) broken.push(`syntax error at “${expr.slice(from, from + 30)}”`);
    },
  });
  const checker = new Parser(EditorState.create({ doc: expr }));
  // by itself it would read the first 3,000 characters only, and misunderstand what it cut
  checker.tree = tree;
  checker.analyze();
  return [...broken, ...checker.getDiagnostics().map(({ message }) => message)];
}

export interface Selector {
  name: string;
  matchers: Record<string, string>;
  /** Functions and aggregations around it, the innermost first. */
  within: string[];
  /** Text of the range behind it. */
  range: string | undefined;
}

/** Every selector of an expression. */
export function selectorsOf(expr: string): Selector[] {
  const text = ({ from, to }: SyntaxNode) => expr.slice(from, to);
  const selectors: Selector[] = [];
  parser.parse(expr).iterate({
    enter: ({ node }) => {
      if (node.name !== "VectorSelector") return;
      const identifier = node.getChild("Identifier");
      const matchers: Record<string, string> = {};
      for (const matcher of node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []) {
        const label = matcher.getChild("LabelName");
        // a label that is matched twice must match both
        if (label) matchers[text(label)] = `${matchers[text(label)] ?? ""}${text(matcher).slice(text(label).length)}`;
      }
      const matrix = node.parent?.name === "MatrixSelector" ? text(node.parent).slice(text(node).length) : undefined;
      selectors.push({ name: identifier ? text(identifier) : "", matchers, within: around(node, text), range: matrix });
    },
  });
  return selectors;
}

function around(node: SyntaxNode, text: (node: SyntaxNode) => string): string[] {
  const names: string[] = [];
  for (let up = node.parent; up !== null; up = up.parent) {
    const name = up.getChild("FunctionIdentifier") ?? up.getChild("AggregateOp");
    if (name && (up.name === "FunctionCall" || up.name === "AggregateExpr")) names.push(text(name));
  }
  return names;
}

/** Every range, step and offset of an expression. */
export function durationsOf(expr: string): string[] {
  const found: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, from, to }) => {
      if (name === "NumberDurationLiteralInDurationContext") found.push(expr.slice(from, to));
    },
  });
  return found;
}

/** The labels of the outermost `by (…)` of each operand, wherever operators join several. */
export function outermostGrouping(expr: string): string[] {
  const found: string[] = [];
  const visit = (node: SyntaxNode) => {
    if (node.name === "AggregateExpr") {
      const labels = node.getChild("AggregateModifier")?.getChild("GroupingLabels");
      found.push(labels ? expr.slice(labels.from, labels.to).replace(/[()\s]/g, "") : "");
      return;
    }
    for (let child = node.firstChild; child !== null; child = child.nextSibling) visit(child);
  };
  visit(parser.parse(expr).topNode);
  return [...new Set(found)];
}
