import type { Matcher } from '../storage/storage.ts';

export function equals(name: string, value: string): Matcher {
	return { name, kind: '=', value, test: (candidate) => candidate === value, literals: [value] };
}

export function oneOf(name: string, values: readonly string[]): Matcher {
	const set = new Set(values);
	const value = values.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
	return { name, kind: '=~', value, test: (candidate) => set.has(candidate), literals: [...set] };
}
