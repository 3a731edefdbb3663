// This exporter's own series in a server: everything that the rules read, of one group after another.

import type { RuleGroup } from "../../alerts/rule.ts";
import { isAlert } from "../../alerts/rule.ts";
import { metrics } from "../../catalog/metrics.ts";
import { selectorsOf } from "../promql/ast.ts";
import { parsePromql } from "../promql/parse.ts";
import { groupBy, type LabelSet, type Samples, signature } from "../promql/series.ts";
import { tracedGroups } from "./builtin.ts";
import { fetchRange } from "./fetch-range.ts";
import type { HistoryOptions, Watch } from "./history.ts";
import type { PrometheusApi } from "./prometheus-api.ts";
import { selectorText } from "./selector.ts";
