import { describe, expect, test } from 'vitest';
import { formatMatchers, matchesAll, parseMatcher, parseMatchers } from './matcher.ts';

test.each([
	{ text: 'severity="critical"', labels: { severity: 'critical' }, wanted: true },
	{ text: 'severity = critical ', labels: { severity: 'critical' }, wanted: true },
	{ text: 'severity=critical', labels: { severity: 'criticality' }, wanted: false },
	{ text: 'team=~"net|db"', labels: { team: 'db' }, wanted: true },
	{ text: 'team=~"net|db"', labels: { team: 'dba' }, wanted: false },
	{ text: 'team!~"net.*"', labels: { team: 'network' }, wanted: false },
	{ text: 'team!="db"', labels: {}, wanted: true },
	{ text: 'team=""', labels: {}, wanted: true },
	{ text: 'team=~".+"', labels: {}, wanted: false },
	{ text: 'path="a,\\"b\\"\\\\c\\nd"', labels: { path: 'a,"b"\\c\nd' }, wanted: true },
	{ text: '系统名', labels: {}, wanted: null },
	{ text: 'a="b', labels: {}, wanted: null },
	{ text: 'a=b"', labels: {}, wanted: null },
	{ text: 'a==b"', labels: {}, wanted: null },
	{ text: 'a=~"("', labels: {}, wanted: null },
	{ text: '', labels: {}, wanted: null },
])('$text on $labels: $wanted', ({ text, labels, wanted }) => {
	if (wanted === null) expect(() => parseMatcher(text)).toThrow(expect.objectContaining({ code: 'FN_ALERTS_MATCHER', status: 400 }));
	else expect(parseMatcher(text).matches((labels as Record<string, string>)[parseMatcher(text).name] ?? '')).toBe(wanted);
});

describe('lists', () => {
	test.each([
		{ text: '{a="1", b=~"2,3"}', wanted: '{a="1",b=~"2,3"}' },
		{ text: 'b="2",a="1"', wanted: '{a="1",b="2"}' },
		{ text: '{a="1",}', wanted: '{a="1"}' },
		{ text: '{}', wanted: '{}' },
	])('$text', ({ text, wanted }) => {
		expect(formatMatchers(parseMatchers(text))).toBe(wanted);
	});

	test.each(['{a="1"', 'a="1",,b="2"', 'a="1" b="2"'])('%s is refused', (text) => {
		expect(() => parseMatchers(text)).toThrow(expect.objectContaining({ code: 'FN_ALERTS_MATCHER' }));
	});

	test('all must hold', () => {
		expect(matchesAll(parseMatchers('a="1",b="2"'), { a: '1', b: '2' })).toBe(true);
		expect(matchesAll(parseMatchers('a="1",b="2"'), { a: '1' })).toBe(false);
	});
});
