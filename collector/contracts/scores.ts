import type { AdjustmentAnswer } from '../../protocol/contract-api.ts';
import { type Assessment, type Score, scoreOf } from './assess.ts';
import type { Profile } from './profile.ts';

/** A contested item. Undecided, the client's figure stands in the final score. */
export interface Dispute {
	readonly id: string;
	readonly key: string;
	readonly evidence: string;
	readonly openedBy: string;
	readonly openedMs: number;
	readonly decision: DisputeDecision | null;
}

export interface DisputeDecision {
	/** Hundredths of a point that count in the end. */
	readonly centipoints: number;
	readonly reason: string;
	readonly by: string;
	readonly atMs: number;
}

export interface ScoredItem {
	readonly key: string;
	readonly self: number;
	readonly client: number;
	readonly final: number;
	readonly disputed: 'no' | 'open' | 'decided';
}

/** 自评, 采购人评, 终值: nothing of one overwrites another. */
export interface ThreeScores {
	readonly self: Score;
	readonly client: Score;
	readonly final: Score;
	readonly items: readonly ScoredItem[];
}

/** An adjustment of this key gives up the fine by the score, where the contract lets it lapse. */
export const FINE_KEY = 'fine';

/** The latest adjustment and the latest dispute of a key count. */
export function threeScores(
	profile: Profile,
	assessment: Assessment,
	adjustments: readonly AdjustmentAnswer[],
	disputes: readonly Dispute[],
): ThreeScores {
	const adjusted = new Map([...adjustments].sort((a, b) => a.atMs - b.atMs).map((entry) => [entry.key, entry]));
	const disputed = new Map([...disputes].sort((a, b) => a.openedMs - b.openedMs).map((entry) => [entry.key, entry]));
	const own = new Map(assessment.items.map((item) => [item.key, item]));
	const keys = [...own.keys(), ...[...adjusted.keys()].filter((key) => !own.has(key) && key !== FINE_KEY)];
	const lapsed = profile.payment.lapse !== undefined && adjusted.has(FINE_KEY);
	const withoutFine = { ...profile, payment: { ...profile.payment, steps: [] } };
	const items = keys.map((key): ScoredItem => {
		const self = own.get(key)?.counted ?? 0;
		const client = adjusted.get(key)?.centipoints ?? self;
		const dispute = disputed.get(key);
		const decision = dispute?.decision ?? null;
		return {
			key,
			self,
			client,
			final: decision?.centipoints ?? client,
			disputed: dispute === undefined ? 'no' : decision === null ? 'open' : 'decided',
		};
	});
	const score = (pick: 'self' | 'client' | 'final'): Score =>
		scoreOf(
			lapsed && pick !== 'self' ? withoutFine : profile,
			items.map((entry) => {
				const item = own.get(entry.key);
				const counted = entry[pick];
				// Money that stands beside an item falls with it: an item set to nothing costs nothing.
				const fen = item === undefined || (pick !== 'self' && counted === 0 && entry.self !== 0) ? 0 : item.fen;
				return { counted, fen, clause: item?.clause ?? adjusted.get(entry.key)?.clause ?? '', reason: item?.reason ?? { zh: '', en: '' } };
			}),
		);
	return { self: score('self'), client: score('client'), final: score('final'), items };
}
