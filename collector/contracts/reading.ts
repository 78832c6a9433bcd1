import type { UnknownAs } from '../availability/unknown-time.ts';
import type { AssessedOutage, AssessedService } from './assessed.ts';

/** A service as a rule counts it: unknown time as the rule says, and without what a countersigned cause excuses. Whole seconds. */
export interface ServiceReading {
	readonly service: string;
	/** Without `leftOutSeconds`. */
	readonly agreedSeconds: number;
	readonly agreedSecondsOfPeriod: number;
	readonly downSeconds: number;
	/** Unknown time that is not counted at all. */
	readonly leftOutSeconds: number;
	/** Those of which anything is left. */
	readonly outages: readonly AssessedOutage[];
}

export function readService(service: AssessedService, unknown: UnknownAs): ServiceReading {
	const leftOutSeconds = unknown === 'left-out' ? service.unknownSeconds : 0;
	const outages = (unknown === 'left-out' ? undefined : service.outagesAs?.[unknown]) ?? service.outages;
	const excused = outages.reduce((sum, outage) => sum + outage.downSeconds - answeredSeconds(outage), 0);
	return {
		service: service.service,
		agreedSeconds: service.agreedSeconds - leftOutSeconds,
		agreedSecondsOfPeriod: service.agreedSecondsOfPeriod - leftOutSeconds,
		downSeconds: service.downSeconds + (unknown === 'down' ? service.unknownSeconds : 0) - excused,
		leftOutSeconds,
		outages: outages.filter((outage) => answeredSeconds(outage) > 0),
	};
}

/** What the contractor answers for of an outage. */
export function answeredSeconds({ downSeconds, excusedSeconds, excused }: AssessedOutage): number {
	return downSeconds - (excusedSeconds ?? (excused ? downSeconds : 0));
}
