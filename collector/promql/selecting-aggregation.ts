import { fingerprint } from '../../core/labels.ts';
import { type Column, type EvaluationContext, isEmpty, type VectorValue, vectorOf } from './columns.ts';
import type { Group } from './grouping.ts';
import { executionError } from './query-error.ts';

type SelectingOperator = 'topk' | 'bottomk' | 'limitk' | 'limit_ratio';

/** Aggregations that keep some members as they are. For one step the members of a group come in rank order. */
export function selectMembers(
	op: SelectingOperator,
	groups: readonly Group[],
	param: Float64Array,
	context: EvaluationContext,
): VectorValue {
	const output: Column[] = [];
	for (const group of groups) {
		context.guard.check();
		const selected = group.members.map((member) => ({
			labels: member.labels,
			values: member.values.slice(),
			present: new Uint8Array(member.values.length),
		}));
		context.guard.hold(selected.length * param.length);
		const rank: number[] = [];
		const offsets = op === 'limit_ratio' ? group.members.map((member) => ratioOffset(member)) : [];
		for (let i = 0; i < param.length; i++) {
			context.guard.check();
			const k = param[i] as number;
			rank.length = 0;
			if (op === 'limit_ratio') selectRatio(group, offsets, i, k, rank);
			else selectBest(op, group, i, countOf(k), rank);
			for (const member of rank) (selected[member] as Column).present[i] = 1;
		}
		if (param.length === 1) for (const member of rank) output.push(selected[member] as Column);
		else output.push(...selected);
	}
	return vectorOf(
		output.filter((column) => !isEmpty(column)),
		op === 'topk' || op === 'bottomk',
	);
}

function countOf(k: number): number {
	if (k !== k || k >= 2 ** 63 || k < -(2 ** 63)) throw executionError(`Scalar value ${k} overflows int64`);
	return Math.trunc(k);
}

/** Puts the indices of the best `k` members with a value at step `i` into `rank`, best first; ties keep the input's order. */
function selectBest(op: 'topk' | 'bottomk' | 'limitk', group: Group, i: number, k: number, rank: number[]): void {
	if (k < 1) return;
	const { members } = group;
	for (let m = 0; m < members.length; m++) {
		const member = members[m] as Column;
		if (member.present[i] === 0) continue;
		if (op === 'limitk') {
			if (rank.length >= k) return;
			rank.push(m);
			continue;
		}
		const value = member.values[i] as number;
		if (rank.length >= k && !better(op, value, valueAt(members, rank.at(-1) ?? 0, i))) continue;
		let low = 0;
		let high = rank.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (better(op, value, valueAt(members, rank[middle] as number, i))) high = middle;
			else low = middle + 1;
		}
		rank.splice(low, 0, m);
		if (rank.length > k) rank.pop();
	}
}

function valueAt(members: readonly Column[], member: number, i: number): number {
	return (members[member] as Column).values[i] as number;
}

/** NaN is worse than everything. */
function better(op: 'topk' | 'bottomk', a: number, b: number): boolean {
	if (a !== a) return false;
	if (b !== b) return true;
	return op === 'topk' ? a > b : a < b;
}

/** Where in [0, 1) a series lies by its labels, so that the same series are kept at each step and each evaluation. */
function ratioOffset(member: Column): number {
	return Number(BigInt(`0x${fingerprint(member.labels)}`)) / 2 ** 64;
}

function selectRatio(group: Group, offsets: readonly number[], i: number, ratio: number, rank: number[]): void {
	if (ratio !== ratio) throw executionError('Ratio value NaN is not a number between -1 and 1');
	const bounded = Math.max(-1, Math.min(1, ratio));
	for (let m = 0; m < group.members.length; m++) {
		if ((group.members[m] as Column).present[i] === 0) continue;
		const offset = offsets[m] as number;
		// A negative ratio selects the complement of the positive one.
		if (bounded >= 0 ? offset < bounded : offset >= 1 + bounded) rank.push(m);
	}
}
