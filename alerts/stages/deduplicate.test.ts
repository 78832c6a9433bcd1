import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideGroup, type Notified } from './deduplicate.ts';

const base = { firing: [], muted: [], resolved: [], notified: null, nowMs: 10_000, repeatIntervalMs: 1000, detached: false };
const told = (firing: string[], notifiedAtMs = 9500): Notified => ({ firing: new Set(firing), notifiedAtMs });

describe('what a group has to tell', () => {
	test.each([
		{ name: 'nothing at all', input: {}, wanted: null },
		{ name: 'a first firing', input: { firing: ['a'] }, wanted: { reason: 'fired', firing: ['a'], resolved: [], left: ['a'] } },
		{ name: 'nothing new', input: { firing: ['a'], notified: told(['a']) }, wanted: null },
		{
			name: 'one more',
			input: { firing: ['a', 'b'], notified: told(['a']) },
			wanted: { reason: 'fired', firing: ['a', 'b'], resolved: [], left: ['a', 'b'] },
		},
		{
			name: 'a repetition',
			input: { firing: ['a'], notified: told(['a'], 9000) },
			wanted: { reason: 'repeat', firing: ['a'], resolved: [], left: ['a'] },
		},
		{
			name: 'a recovery',
			input: { resolved: ['a'], notified: told(['a']) },
			wanted: { reason: 'resolved', firing: [], resolved: ['a'], left: [] },
		},
		{ name: 'a recovery of what nobody heard of', input: { resolved: ['a'] }, wanted: null },
		{ name: 'muted', input: { muted: ['a'] }, wanted: null },
		{
			name: 'muted after it was told',
			input: { muted: ['a'], firing: ['b'], notified: told(['a']) },
			wanted: { reason: 'fired', firing: ['b'], resolved: [], left: ['a', 'b'] },
		},
		{ name: 'muted does not repeat', input: { muted: ['a'], notified: told(['a'], 0) }, wanted: null },
		{ name: 'a detached group does not fire', input: { firing: ['a'], detached: true, notified: told(['a'], 0) }, wanted: null },
		{
			name: 'a detached group recovers',
			input: { firing: ['b'], resolved: ['a'], detached: true, notified: told(['a', 'b']) },
			wanted: { reason: 'resolved', firing: [], resolved: ['a'], left: ['b'] },
		},
	])('$name', ({ input, wanted }) => {
		const decision = decideGroup({ ...base, ...input });
		if (wanted === null) expect(decision).toEqual({ kind: 'nothing' });
		else {
			const { left, ...rest } = wanted;
			expect(decision).toMatchObject({ kind: 'notify', ...rest });
			if (decision.kind === 'notify') expect([...decision.notified.firing].sort()).toEqual(left);
		}
	});

	test('over any history every told firing gets exactly one recovery, and none comes without its firing', () => {
		const step = fc.record({ alert: fc.constantFrom('a', 'b', 'c'), to: fc.constantFrom('firing', 'muted', 'resolved') });
		fc.assert(
			fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
				const states = new Map<string, string>();
				const balance = new Map<string, number>();
				let notified: Notified | null = null;
				let nowMs = 0;
				const turn = () => {
					const of = (state: string) => [...states].filter(([, value]) => value === state).map(([name]) => name);
					const decision = decideGroup({ ...base, firing: of('firing'), muted: of('muted'), resolved: of('resolved'), notified, nowMs });
					for (const name of of('resolved')) states.delete(name);
					if (decision.kind === 'nothing') return;
					const before = notified?.firing ?? new Set();
					for (const name of decision.firing) if (!before.has(name)) balance.set(name, (balance.get(name) ?? 0) + 1);
					for (const name of decision.resolved) balance.set(name, (balance.get(name) ?? 0) - 1);
					for (const count of balance.values()) expect(count === 0 || count === 1).toBe(true);
					notified = decision.notified;
				};
				for (const { alert, to } of steps) {
					nowMs += 300;
					if (to === 'resolved' && !states.has(alert)) continue;
					states.set(alert, to);
					turn();
				}
				for (const name of states.keys()) states.set(name, 'resolved');
				turn();
				expect([...balance.values()].every((count) => count === 0)).toBe(true);
			}),
		);
	});
});
