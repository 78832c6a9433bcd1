/** Why a stretch of a ledger has its state. `subject` is the check, host, zone or window that it is about; `''` where there is none. */
export interface Cause {
	readonly kind: CauseKind;
	readonly subject: string;
}

export const CAUSE_KINDS = [
	/** A check failed. */
	'check',
	/** A PromQL condition did not hold. */
	'condition',
	/** The service was up, with fewer good parts than it should have. */
	'redundancy lost',
	/** A check brought nothing though its agent was alive, or nobody knows its agent. */
	'no data',
	/** The agent brought nothing; whether it or its way is at fault is not known. */
	'agent silent',
	/** The agent brought nothing while its host was seen up from elsewhere. */
	'agent dead',
	/** The agent brought nothing while its host was seen down from elsewhere. */
	'host dead',
	/** All agents of a zone fell silent together. */
	'network cut',
	/** This collector was not running. */
	'collector down',
	/** A vantage point's own reference target failed, so its word does not count. */
	'set aside',
	/** Outside of the service's hours. */
	'calendar',
	/** An approved maintenance window. */
	'maintenance',
	/** Before the service was created or after it was removed. */
	'not in service',
] as const;
export type CauseKind = (typeof CAUSE_KINDS)[number];

/** Reads `Interval.reason`: `kind: subject`, several with `; `. What is not known is left out. */
export function causesOf(reason: string): readonly Cause[] {
	return reason.split('; ').flatMap((part) => {
		const colon = part.indexOf(': ');
		const name = colon < 0 ? part : part.slice(0, colon);
		const kind = CAUSE_KINDS.find((known) => known === name);
		return kind === undefined ? [] : [{ kind, subject: colon < 0 ? '' : part.slice(colon + 2) }];
	});
}

/** All parts of several reasons, sorted, each once. */
export function joinReasons(reasons: readonly string[]): string {
	return [...new Set(reasons.flatMap((reason) => (reason === '' ? [] : reason.split('; '))))].sort().join('; ');
}
