// All rules. Each group can be read in one look.

import { type Rules, rules } from "../detection/rules.ts";
import { capacityAlerts } from "./families/capacity.ts";
import { goneServices, healthAlerts, runningGroups } from "./families/health.ts";
import { leakAlerts } from "./families/leak.ts";
import { lives, restartRules } from "./families/restarts.ts";
import type { RuleGroup } from "./rule.ts";

/** The rules of a set of thresholds. */
export const ruleGroups = (d: Rules = rules): RuleGroup[] => [
  leakAlerts(d),
  restartRules(d),
  lives(d),
  capacityAlerts(d),
  runningGroups(d),
  goneServices(d),
  healthAlerts(d),
];
