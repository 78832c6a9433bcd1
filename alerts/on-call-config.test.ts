import { expect, test } from 'vitest';
import { formatProblem, parseConfig } from '../core/config-file.ts';
import { checkAlertsConfig } from './check-config.ts';
import { AlertsConfigSchema } from './config.ts';

const PEOPLE = 'people: [{ id: a, name: A, addresses: [{ channel: hook, to: x }] }, { id: b, name: B }]';
const parse = (oncall: string) =>
	parseConfig(`channels: [{ name: hook, webhook: { url: 'http://h' } }]\noncall: { ${oncall} }`, {
		file: 'c.yml',
		schema: AlertsConfigSchema,
		check: checkAlertsConfig,
	});

test.each([
	{
		name: 'unknown channel',
		text: 'people: [{ id: a, name: A, addresses: [{ channel: sms, to: x }] }]',
		wanted: 'the channel "sms" is not one of alerts.channels',
	},
	{
		name: 'one address for two',
		text: 'people: [{ id: a, name: A, addresses: [{ channel: hook, to: x }] }, { id: b, name: B, addresses: [{ channel: hook, to: x }] }]',
		wanted: '"a" has the same address',
	},
	{
		name: 'one account for two',
		text: 'people: [{ id: a, name: A, account: u }, { id: b, name: B, account: u }]',
		wanted: '"a" has the account "u" already',
	},
	{ name: 'person twice', text: 'people: [{ id: a, name: A }, { id: a, name: B }]', wanted: '"a" is defined twice' },
	{
		name: 'unknown person in a layer',
		text: `${PEOPLE}, rosters: [{ id: r, name: R, layers: [{ name: l, people: [c], start: '2026-01-01' }] }]`,
		wanted: 'there is no person "c"',
	},
	{
		name: 'unknown zone',
		text: `${PEOPLE}, rosters: [{ id: r, name: R, zone: Mars/Base, layers: [{ name: l, people: [a], start: '2026-01-01' }] }]`,
		wanted: '"Mars/Base" is not a time zone',
	},
	{
		name: 'hours counted as active',
		text: `${PEOPLE}, rosters: [{ id: r, name: R, layers: [{ name: l, people: [a], start: '2026-01-01', turn: { unit: hour, counts: active } }] }]`,
		wanted: 'hours are counted through',
	},
	{ name: 'unknown member', text: `${PEOPLE}, teams: [{ id: t, name: T, members: [c] }]`, wanted: 'there is no person "c"' },
	{
		name: 'unknown target',
		text: `${PEOPLE}, policies: [{ name: p, steps: [{ to: ['roster:none'] }] }]`,
		wanted: '"roster:none" names something that does not exist',
	},
	{
		name: 'team without a lead',
		text: `${PEOPLE}, teams: [{ id: t, name: T }], policies: [{ name: p, steps: [{ to: ['lead:t'] }] }]`,
		wanted: 'the team "t" has no lead',
	},
	{
		name: 'bad matcher',
		text: `${PEOPLE}, policies: [{ name: p, matchers: ['team=~"("'], steps: [{ to: ['person:a'] }] }]`,
		wanted: 'oncall.policies[0].matchers',
	},
	{ name: 'unknown roster of a rule', text: 'staffing: [{ name: s, rosters: [r] }]', wanted: 'there is no roster "r"' },
	{
		name: 'drill without a time',
		text: `${PEOPLE}, drill: { schedule: {}, to: ['person:a'] }`,
		wanted: 'exactly one of every, at and cron',
	},
])('$name', ({ text, wanted }) => {
	const result = parse(text);
	const lines = result.kind === 'bad' ? result.problems.map(formatProblem) : [];
	expect(lines).toEqual([expect.stringContaining(wanted)]);
});

test('the example of the documentation’s shape is good', () => {
	const rosters =
		"rosters: [{ id: r, name: R, handover: true, layers: [{ name: l, people: [a, [a, b]], start: '2026-11-02T09:00', turn: { every: 2, unit: day, counts: active } }] }]";
	const policies =
		"policies: [{ name: p, severities: [critical], fault_levels: ['1'], steps: [{ to: ['roster:r', 'next:r'], wait: 5m, times: 2 }] }]";
	expect(parse(`${PEOPLE}, ${rosters}, ${policies}, drill: { schedule: { at: ['10:00'] }, to: ['roster:r'] }`).kind).toBe('ok');
});
