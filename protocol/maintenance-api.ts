/** JSON of `/api/fournines/v1/maintenance`. Times are integer milliseconds. */
export interface MaintenanceWindowAnswer {
	readonly id: string;
	readonly title: string;
	readonly services: readonly string[];
	/** Hosts whose alerts are held back as well. */
	readonly hosts: readonly string[];
	readonly fromMs: number;
	readonly toMs: number;
	readonly recurring: boolean;
	readonly reason: string;
	readonly rollback: string;
	readonly state: 'requested' | 'approved' | 'refused' | 'cancelled';
	readonly requestedBy: string;
	readonly requestedAtMs: number;
	readonly retroactive: boolean;
	readonly approvals: readonly { readonly by: string; readonly role: string; readonly atMs: number; readonly note: string }[];
	readonly consent: { readonly by: string; readonly atMs: number; readonly evidence: string } | null;
	/** Recorded work, by planned beginning. */
	readonly actual: readonly { readonly occurrenceMs: number; readonly startMs: number | null; readonly endMs: number | null }[];
	/** Everything that happened to it, oldest first. */
	readonly history: readonly { readonly atMs: number; readonly actor: string; readonly kind: string }[];
}

/** `GET /maintenance/{id}`: with the notifications that it held back, and the seconds in which a critical one was among them. */
export interface MaintenanceDetailAnswer extends MaintenanceWindowAnswer {
	readonly held: { readonly messages: number; readonly criticalSeconds: number };
}

/** `GET /maintenance?from=&to=`. */
export interface MaintenanceListAnswer {
	readonly windows: readonly MaintenanceWindowAnswer[];
}
