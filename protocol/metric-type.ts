/** Metric types as exposition formats and remote write name them. `unknown` is Prometheus' untyped. */
export type MetricType = 'unknown' | 'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset';
