import { describe, expect, test } from 'vitest';
import type { MatcherKind } from '../storage/storage.ts';
import { createMatcher } from './matcher.ts';

const VALUES = ['', 'a', 'abc', 'ABC', 'xabcx', 'a.b', 'a\nb', '中文', '1'];

describe('a matcher', () => {
	test.each<{ kind: MatcherKind; value: string; accepts: readonly string[]; literals: readonly string[] | null }>([
		{ kind: '=', value: 'a', accepts: ['a'], literals: ['a'] },
		{ kind: '=', value: '', accepts: [''], literals: [''] },
		{ kind: '!=', value: 'a', accepts: ['', 'abc', 'ABC', 'xabcx', 'a.b', 'a\nb', '中文', '1'], literals: null },
		{ kind: '=~', value: 'a|abc', accepts: ['a', 'abc'], literals: ['a', 'abc'] },
		{ kind: '=~', value: '(a|1)', accepts: ['a', '1'], literals: ['a', '1'] },
		{ kind: '=~', value: 'a\\.b|', accepts: ['', 'a.b'], literals: ['a.b', ''] },
		{ kind: '=~', value: 'a', accepts: ['a'], literals: ['a'] },
		{ kind: '=~', value: 'a.*', accepts: ['a', 'abc', 'a.b', 'a\nb'], literals: null },
		{ kind: '=~', value: 'a.+', accepts: ['abc', 'a.b', 'a\nb'], literals: null },
		{ kind: '=~', value: '.*abc.*', accepts: ['abc', 'xabcx'], literals: null },
		{ kind: '=~', value: '.+abc.+', accepts: ['xabcx'], literals: null },
		{ kind: '=~', value: '.*b', accepts: ['a.b', 'a\nb'], literals: null },
		{ kind: '=~', value: '.+', accepts: VALUES.slice(1), literals: null },
		{ kind: '=~', value: 'a.b', accepts: ['a.b', 'a\nb'], literals: null },
		{ kind: '=~', value: '(?i:abc)', accepts: ['abc', 'ABC'], literals: null },
		{ kind: '=~', value: '[[:upper:]]+', accepts: ['ABC'], literals: null },
		{ kind: '=~', value: '\\p{Han}+', accepts: ['中文'], literals: null },
		{ kind: '=~', value: '\\d', accepts: ['1'], literals: null },
		{ kind: '!~', value: 'a.*|', accepts: ['ABC', 'xabcx', '中文', '1'], literals: null },
	])('$kind "$value" accepts what RE2 accepts, anchored', ({ kind, value, accepts, literals }) => {
		const matcher = createMatcher(kind, 'l', value);
		expect(VALUES.filter(matcher.test)).toEqual(accepts);
		expect(matcher.literals).toEqual(literals);
	});

	test.each(['(', '(?=x)', '(?<!x)y', '\\1', 'a{1001}', '(a{1000}){1000}', '[z-a]'])('refuses %s, which is not RE2', (value) => {
		expect(() => createMatcher('=~', 'l', value)).toThrow(/error parsing regexp/);
	});

	test('is not slowed down by a pattern that makes others back-track', () => {
		expect(createMatcher('=~', 'l', '(a+)+b').test('a'.repeat(5000))).toBe(false);
	});
});
