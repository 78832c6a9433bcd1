import { describe, expect, test } from 'vitest';
import type { OutboxEntry } from '../ports.ts';
import { pickNext } from './pick.ts';

const NOW = 1000;

function entry(number: number, group: string, options: { severity?: string; at?: number } = {}): OutboxEntry {
	return {
		notification: {
			id: `n${number}`,
			number,
			receiver: 'r',
			groupKey: group,
			groupLabels: {},
			createdAtMs: 0,
			reason: 'fired',
			alerts: [
				{
					fingerprint: `f${number}`,
					status: 'firing',
					labels: { severity: options.severity ?? 'warning' },
					annotations: {},
					startsAtMs: 0,
					endsAtMs: null,
					generatorUrl: '',
				},
			],
			firingCount: 1,
			resolvedCount: 0,
			merged: 1,
		},
		groupId: group,
		channel: 'r/webhook/0',
		state: 'queued',
		possiblySent: false,
		attempts: 0,
		nextAttemptAtMs: options.at ?? 0,
	};
}

describe('what a channel sends next', () => {
	test.each([
		{ name: 'nothing', entries: [], free: 5, wanted: 'wait forever' },
		{ name: 'the only one', entries: [entry(1, 'a')], free: 5, wanted: '1' },
		{ name: 'the most severe first', entries: [entry(1, 'a'), entry(2, 'b', { severity: 'critical' })], free: 5, wanted: '2' },
		{ name: 'the newest of equals', entries: [entry(2, 'b'), entry(1, 'a')], free: 5, wanted: '2' },
		{ name: 'a group together and in order', entries: [entry(4, 'a'), entry(3, 'a'), entry(2, 'b')], free: 5, wanted: '3 4' },
		{ name: 'no recovery before its firing', entries: [entry(1, 'a', { at: 5000 }), entry(2, 'a')], free: 5, wanted: 'wait 5000' },
		{ name: 'another group meanwhile', entries: [entry(1, 'a', { at: 5000 }), entry(2, 'a'), entry(3, 'b')], free: 5, wanted: '3' },
		{
			name: 'a digest when there is too little room',
			entries: [entry(1, 'a'), entry(2, 'b', { severity: 'critical' }), entry(3, 'c')],
			free: 2,
			wanted: '2 3 1',
		},
		{ name: 'no digest when there is room', entries: [entry(1, 'a'), entry(2, 'b')], free: 2, wanted: '2' },
		{ name: 'no digest where the channel cannot', entries: [entry(1, 'a'), entry(2, 'b')], free: 1, digests: false, wanted: '2' },
		{ name: 'a warning does not take a reserved place', entries: [entry(1, 'a')], free: 3, reserved: 3, wanted: 'wait 9000' },
		{ name: 'a critical alert does', entries: [entry(1, 'a', { severity: 'critical' })], free: 3, reserved: 3, wanted: '1' },
		{ name: 'nothing without room', entries: [entry(1, 'a')], free: 0, wanted: 'wait 9000' },
	])('$name', ({ entries, free, wanted, digests = true, reserved = 0 }) => {
		const next = pickNext(entries, { nowMs: NOW, free, freeAtMs: 9000, reserved, digests });
		const text =
			next.kind === 'wait' ? `wait ${next.untilMs ?? 'forever'}` : next.entries.map((picked) => picked.notification.number).join(' ');
		expect(text).toBe(wanted);
	});
});
