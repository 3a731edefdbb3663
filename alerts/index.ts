// All rules, in the order in which they build on each other. Each group can be read in one look.

import { capacityAlerts } from "./families/capacity.ts";
import { countLeaks } from "./families/counts.ts";
import { fastGrowth, slowGrowth } from "./families/growth.ts";
import { healthAlerts } from "./families/health.ts";
import { fastLeaks, slowLeaks } from "./families/leak.ts";
import { lives } from "./families/restarts.ts";
import { verdictRules } from "./families/verdict.ts";
import type { RuleGroup } from "./rule.ts";

export const ruleGroups = (): RuleGroup[] => [
  fastGrowth(),
  slowGrowth(),
  fastLeaks(),
  slowLeaks(),
  lives(),
  verdictRules(),
  capacityAlerts(),
  countLeaks(),
  healthAlerts(),
];
