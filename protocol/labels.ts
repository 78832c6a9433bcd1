/**
 * A label set in wire-neutral form: `[name0, value0, name1, value1, …]`, sorted by name, no duplicate names, no empty
 * values (an empty value means that the label is absent, as in Prometheus). Flat, because the evaluator and the
 * encoders walk millions of them and an object per pair costs more than the pair.
 */
export type Labels = readonly string[];

/** The name of the label that holds the metric's name. */
export const METRIC_NAME = '__name__';
