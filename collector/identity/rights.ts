import type { Role } from '../../protocol/api.ts';

/** What a person may do. Machines have token scopes instead. */
export type Right =
	| 'read'
	| 'silence'
	| 'report'
	| 'audit.read'
	| 'audit.export'
	| 'accounts'
	| 'agents'
	/** Reading the configuration file again. */
	| 'reload'
	| 'samples.delete'
	| 'maintenance.request'
	| 'maintenance.approve'
	/** Taking incidents, changing duty, signing hand-over records. */
	| 'oncall'
	/** Users' problems, changes, and edits of the inventory. */
	| 'desk'
	/** Taking part in faults and assessments; for which steps is decided by role and by party of the contract. */
	| 'fault';

/** Separation of duties (三员分立): whoever runs the system neither gives rights nor reads the audit, and the other way round. */
const RIGHTS: Readonly<Record<Role, readonly Right[]>> = {
	system: [
		'read',
		'silence',
		'report',
		'agents',
		'reload',
		'samples.delete',
		'maintenance.request',
		'maintenance.approve',
		'oncall',
		'desk',
		'fault',
	],
	security: ['read', 'accounts'],
	audit: ['read', 'audit.read', 'audit.export'],
	operator: ['read', 'silence', 'report', 'maintenance.request', 'oncall', 'desk', 'fault'],
	viewer: ['read', 'report', 'fault'],
};

export function may(role: Role, right: Right): boolean {
	return RIGHTS[role].includes(right);
}
