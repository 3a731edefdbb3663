// The programs around the exporter, as docker-compose.yml and k8s/monitoring/plain run them. docker-compose.yml is written
// by hand; test/catalog/images.test.ts holds it to these.

export const images = {
  prometheus: "prom/prometheus:v3.5.3",
  alertmanager: "prom/alertmanager:v0.33.1",
  grafana: "grafana/grafana:12.4.10",
} as const;
