import { expect, test } from 'vitest';
import { isInScope, thresholdLine, withoutHoles } from './threshold-scope.ts';

test.each([
	{ name: 'all', scope: { host: '', system: '' }, want: '- { rule: Busy, value: 0.95 }' },
	{ name: 'a host', scope: { host: 'app-1', system: '' }, want: '- { rule: Busy, value: 0.95, host: app-1 }' },
	{ name: 'a host with a number for a name', scope: { host: '12', system: '' }, want: '- { rule: Busy, value: 0.95, host: "12" }' },
	{ name: 'a system', scope: { host: '', system: '数字城管' }, want: '- { rule: Busy, value: 0.95, system: 数字城管 }' },
	{
		name: 'a name that is a word of YAML',
		scope: { host: 'no', system: 'a: b' },
		want: '- { rule: Busy, value: 0.95, host: "no", system: "a: b" }',
	},
])('the line of a threshold for $name', ({ scope, want }) => {
	expect(thresholdLine('Busy', 0.95, scope)).toBe(want);
});

test('a result is in scope when its labels are those of the scope', () => {
	const labels = { host: 'a', system: 's' };
	expect(isInScope(labels, { host: '', system: '' })).toBe(true);
	expect(isInScope(labels, { host: 'a', system: 's' })).toBe(true);
	expect(isInScope(labels, { host: 'b', system: '' })).toBe(false);
	expect(isInScope({}, { host: '', system: 's' })).toBe(false);
});

test('what a template fills in is left out', () => {
	expect(withoutHoles('主机 {{ $labels.host }} CPU {{ $value | humanizePercentage }}')).toBe('主机 … CPU …');
	expect(withoutHoles('忙')).toBe('忙');
});
