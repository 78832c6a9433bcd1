import type { Role } from '../../protocol/api.ts';
import type { ContractsConfig } from '../contracts/config.ts';
import type { Party, Profile } from '../contracts/profile.ts';
import type { FaultAction } from './fault-event.ts';

export interface FaultActor {
	readonly account: string;
	readonly role: Role;
}

/** Roles of those who work on faults. The administrators of security and audit do not. */
const STAFF: readonly Role[] = ['operator', 'system'];

/**
 * Why the account may not do this, or `null`. Work is for the staff; judging, confirming, countersigning and waiving are for the
 * accounts of the party that the contract names, so that nobody signs for the other side.
 */
export function mayNot(actor: FaultActor, action: FaultAction, profile: Profile, parties: ContractsConfig['parties']): string | null {
	const party = partyFor(action, profile);
	if (party === 'staff')
		return STAFF.includes(actor.role) ? null : `"${action.kind}" is for ${STAFF.join(' and ')}; "${actor.account}" is ${actor.role}`;
	if (party === null) return `${profile.id} does not ask for this`;
	return parties[party].includes(actor.account)
		? null
		: `"${action.kind}" is for accounts of the ${party}; name them under contracts.parties.${party}`;
}

function partyFor(action: FaultAction, profile: Profile): Party | 'staff' | null {
	switch (action.kind) {
		case 'judge':
			return profile.grading.judge;
		case 'confirm':
			return profile.grading.confirm;
		case 'countersign':
			return action.as;
		case 'waive':
			return 'client';
		default:
			return 'staff';
	}
}
