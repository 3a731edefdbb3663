// Examples of the documents, as they stand there.

import fs from "node:fs";
import path from "node:path";

/** The blocks of code of this language in one document, in order. */
export function codeBlocks(document: string, language: string): string[] {
  const text = fs.readFileSync(path.join(import.meta.dirname, "../..", document), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code = ""]) => code);
}
