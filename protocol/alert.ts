/**
 * An alert on its way from whoever evaluates rules (our ruler, a Prometheus, a vmalert) to the alert pipeline.
 * The shape is Alertmanager's `postableAlert` with times as integer milliseconds; the HTTP layer converts RFC 3339.
 */
export interface PostedAlert {
	/** Includes `alertname`. Identity of the alert: two alerts with the same labels are the same alert. */
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	/** When the condition began to hold (for a rule with `for`: when it began to fire). */
	readonly startsAtMs: number;
	/** In the past: resolved at that time. In the future: resolves then unless it is posted again. `null`: `resolve_timeout` decides. */
	readonly endsAtMs: number | null;
	readonly generatorUrl: string;
}

/** Where the ruler hands over what fires and what has resolved. Resolves once the alerts are durably recorded. */
export type AlertSink = (alerts: readonly PostedAlert[]) => Promise<void>;

/** Alerts by which the product's own desk reminds people: they open no faults, and no maintenance holds them back. */
export const DESK_ALERT = /^(Fault|Maintenance|Problem|Change)[A-Z]/;

export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];
