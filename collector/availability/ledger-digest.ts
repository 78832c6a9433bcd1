import { createHash } from 'node:crypto';
import type { RequestFigures } from '../../protocol/availability-api.ts';
import type { Timeline } from './intervals.ts';

/** SHA-256 over every interval after exclusion and the counted requests, in the order of the inventory: what a report and a ledger export have in common. */
export function ledgerDigest(
	services: readonly { readonly id: string; readonly timeline: Timeline; readonly requests: RequestFigures | null }[],
): string {
	const digest = createHash('sha256');
	for (const { id, timeline, requests } of services) {
		for (const { from, to, state, unconfirmed, reason } of timeline)
			digest.update(`${id} ${from} ${to} ${state} ${unconfirmed ? 1 : 0} ${reason}\n`);
		if (requests !== null) digest.update(`${id} requests ${requests.good} ${requests.total} ${requests.excluded} ${requests.unplaced}\n`);
	}
	return digest.digest('hex');
}
