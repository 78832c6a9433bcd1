import type { AssessedFault } from '../contracts/assessed.ts';
import type { Profile } from '../contracts/profile.ts';
import type { Failure } from '../contracts/service-figures.ts';
import type { Fault } from './fault.ts';

/** What the contract prices of a fault. A level of another profile has no price here and is kept as it is. */
export function assessedFault(fault: Fault, profile: Profile): AssessedFault {
	return {
		id: fault.id,
		service: fault.service,
		affected: fault.affected,
		point: fault.point,
		level: fault.level,
		cause: fault.cause,
		causeCountersigned: fault.countersigned.includes(profile.excused.countersign),
		moments: fault.moments,
		reports: fault.reports.map(({ report, filedMs }) => ({ report, filedMs })),
		waived: fault.waived,
		accident: fault.accident,
	};
}

export function failureOf({ id, service, affected, moments }: Fault): Failure {
	return { id, service, affected, onsetMs: moments.onset ?? 0, restoredMs: moments.restored };
}
