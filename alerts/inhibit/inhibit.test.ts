import { expect, test } from 'vitest';
import { type Alert, fingerprintOf } from '../alert.ts';
import type { InhibitRuleConfig } from '../config.ts';
import { buildInhibitRule, createInhibitor } from './inhibit.ts';

const NOW = 1_000_000;

function alert(labels: Readonly<Record<string, string>>, more: Partial<Alert> = {}): Alert {
	return {
		fingerprint: fingerprintOf(labels),
		labels,
		annotations: {},
		startsAtMs: 0,
		expiresAtMs: NOW + 1,
		resolvedAtMs: null,
		receivedAtMs: 0,
		updatedAtMs: 0,
		generatorUrl: '',
		mutedBy: '',
		...more,
	};
}

const rule = (more: Partial<InhibitRuleConfig>) =>
	buildInhibitRule({
		source_matchers: [],
		target_matchers: [],
		source_match: {},
		target_match: {},
		source_match_re: {},
		target_match_re: {},
		equal: [],
		...more,
	});
/** Whatever is critical hides what is not, on the same host; the power cut hides everything at its site, itself a critical alert. */
const RULES = [
	rule({ source_match: { severity: 'critical' }, target_match_re: { severity: 'warning|info' }, equal: ['host', 'rack'] }),
	rule({ source_matchers: ['power="cut"'], target_matchers: ['site=~".+"'], equal: ['site'] }),
];

const critical = alert({ severity: 'critical', host: 'a' });
const cut = alert({ power: 'cut', site: 'x' });
const otherCut = alert({ power: 'cut', site: 'x', feed: '2' });

test.each([
	{ name: 'a cause on the same host', target: { severity: 'warning', host: 'a' }, sources: [critical], wanted: critical },
	{ name: 'none on another host', target: { severity: 'warning', host: 'b' }, sources: [critical], wanted: null },
	{ name: 'a label that both lack is equal', target: { severity: 'info', host: 'a', zone: 'z' }, sources: [critical], wanted: critical },
	{ name: 'an empty label is a missing one', target: { severity: 'warning', host: 'a', rack: '' }, sources: [critical], wanted: critical },
	{ name: 'a label that only one has differs', target: { severity: 'warning', host: 'a', rack: '7' }, sources: [critical], wanted: null },
	{ name: 'what is no target', target: { severity: 'critical', host: 'a', job: 'x' }, sources: [critical], wanted: null },
	{
		name: 'a cause that is over',
		target: { severity: 'warning', host: 'a' },
		sources: [{ ...critical, resolvedAtMs: NOW - 1 }],
		wanted: null,
	},
	{
		name: 'a cause that expires now',
		target: { severity: 'warning', host: 'a' },
		sources: [{ ...critical, expiresAtMs: NOW }],
		wanted: null,
	},
	{ name: 'a second rule', target: { severity: 'critical', site: 'x' }, sources: [critical, cut], wanted: cut },
	{ name: 'itself', target: cut.labels, sources: [cut], wanted: null },
	{ name: 'two that match both sides do not hide each other', target: cut.labels, sources: [cut, otherCut], wanted: null },
])('$name', ({ target, sources, wanted }) => {
	expect(createInhibitor(RULES, sources, NOW)(alert(target))).toBe(wanted?.fingerprint ?? null);
});

test('an alert that matches both sides is hidden by one that is a cause alone, and the first cause that may is taken', () => {
	const both = rule({ source_matchers: ['level=~"1|2"'], target_matchers: ['level=~"2|3"'] });
	const [one, two, three] = ['1', '2', '3'].map((level) => alert({ level })) as [Alert, Alert, Alert];
	const twoMore = alert({ level: '2', part: 'b' });
	const cause = (target: Alert, ...sources: readonly Alert[]) => createInhibitor([both], sources, NOW)(target);
	expect(cause(two, two, twoMore)).toBeNull();
	expect(cause(two, twoMore, one)).toBe(one.fingerprint);
	expect(cause(three, two)).toBe(two.fingerprint);
});
