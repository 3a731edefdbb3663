import { expect, test } from "vitest";
import { withoutCredentials } from "../../exporter/text/url.ts";

test.each([
  ["has none", "http://prometheus:9090/path?orgId=1", "http://prometheus:9090/path?orgId=1"],
  ["user and password", "http://me:hunter2@prometheus:9090/path", "http://prometheus:9090/path"],
  ["a token in place of a user", "https://glsa_abc@grafana", "https://grafana"],
  ["a password with @", "http://me:hunt@er2@prometheus", "http://prometheus"],
  ["a password with a slash, which is no valid URL", "http://me:hun/ter2@prometheus", "http://prometheus"],
  ["another scheme", "htp://me:hunter2@prometheus", "htp://prometheus"],
  ["no scheme", "me:hunter2@prometheus:9090", "prometheus:9090"],
  ["secrets among the parameters", "http://grafana/?api_key=hunter2&orgId=1", "http://grafana/?api_key=***&orgId=1"],
  ["no URL at all", "localhost", "localhost"],
  ["nothing", "", ""],
])("%s", (_, url, shown) => {
  expect(withoutCredentials(url)).toBe(shown);
});
