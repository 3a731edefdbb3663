// What holds of a service as a whole.

import { type LeakSeverity, type Verdict, verdictCode } from "../../catalog/verdicts.ts";
import type { MaskedLeak } from "./ended-lives.ts";
import type { Finding, Reason, ServiceFinding } from "./finding.ts";

/** A masked leak, or the gravest of the slots. */
export function serviceFinding(masked: MaskedLeak | undefined, slots: readonly Finding[]): ServiceFinding {
  const severity = slots.reduce<LeakSeverity>((most, slot) => (slot.severity > most ? slot.severity : most), 0);
  const word = slots.reduce<Verdict>((a, { word: b }) => (verdictCode[b] > verdictCode[a] ? b : a), "collecting");
  if (masked === undefined) return { word, severity, reasons: [] };
  const { growing, ended, over, killed } = masked;
  const reason: Reason = { kind: "endedGrowing", growing, ended, seconds: over, killed };
  return { word: "masked_leak", severity: Math.max(3, severity) as LeakSeverity, reasons: [reason] };
}
