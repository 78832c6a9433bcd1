import type { PartyName } from '../../../../protocol/contract-api.ts';
import { useDeskIdentity } from '../../api/desk.ts';
import { useIdentity } from '../../layout/session-context.ts';

export interface DeskRights {
	readonly account: string;
	/** Operators and system administrators do the work. */
	readonly isStaff: boolean;
	readonly mayApprove: boolean;
	/** May enter records and contest items: staff, and whoever speaks for a party. */
	readonly takesPart: boolean;
	readonly disputesDecidedBy: PartyName | null;
	speaksFor(party: PartyName | null): boolean;
}

/** What the account may do at the desk. The server decides; this hides what would be refused. */
export function useDeskRights(): DeskRights {
	const { role, account } = useIdentity();
	const identity = useDeskIdentity().data;
	const isStaff = role === 'system' || role === 'operator';
	return {
		account,
		isStaff,
		mayApprove: role === 'system',
		takesPart: isStaff || (identity?.parties.length ?? 0) > 0,
		disputesDecidedBy: identity?.disputesDecidedBy ?? null,
		speaksFor: (party) => party !== null && identity?.parties.includes(party) === true,
	};
}
