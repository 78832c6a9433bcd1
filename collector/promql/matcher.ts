import type { Matcher, MatcherKind } from '../storage/storage.ts';
import { anchoredRegexp } from './anchored-regexp.ts';

/** A matcher ready to use. Throws an `Error` for a pattern that is not RE2. An absent label has the value `''`. */
export function createMatcher(kind: MatcherKind, name: string, value: string): Matcher {
	switch (kind) {
		case '=':
			return { name, kind, value, test: (candidate) => candidate === value, literals: [value] };
		case '!=':
			return { name, kind, value, test: (candidate) => candidate !== value, literals: null };
		case '=~': {
			const pattern = anchoredRegexp(value);
			return { name, kind, value, test: pattern.test, literals: pattern.literals };
		}
		case '!~': {
			const pattern = anchoredRegexp(value);
			return { name, kind, value, test: (candidate) => !pattern.test(candidate), literals: null };
		}
	}
}
