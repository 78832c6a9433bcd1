import { expect, test } from 'vitest';
import { en } from './en.ts';
import { zh } from './zh.ts';

function keysOf(value: unknown, path = ''): string[] {
	if (typeof value !== 'object' || value === null) return [`${path}:${typeof value}`];
	return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`));
}

function textsOf(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

test('both languages have the same keys', () => {
	expect(keysOf(en).sort()).toEqual(keysOf(zh).sort());
});

test('no text is empty, and no English one is Chinese', () => {
	expect([...textsOf(zh), ...textsOf(en)].filter((text) => text.trim() === '')).toEqual([]);
	expect(textsOf(en).filter((text) => /\p{Script=Han}/u.test(text))).toEqual([]);
});

test('no Chinese text was left in English', () => {
	const products = ['Webhook'];
	expect(textsOf(zh).filter((text) => /[a-z]/i.test(text) && !/\p{Script=Han}/u.test(text) && !products.includes(text))).toEqual([]);
});
