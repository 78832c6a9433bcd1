import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CLAUSES_ZH } from '../../console/src/texts/clauses-zh.ts';

const FOLDER = resolve(import.meta.dirname, '../../rules/contracts');
const profiles = readdirSync(FOLDER).filter((name) => name.endsWith('.yml') && !name.endsWith('.scenario.yml'));

function clausesOf(value: unknown): readonly string[] {
	if (Array.isArray(value)) return value.flatMap(clausesOf);
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => (key === 'clause' && typeof inner === 'string' ? [inner] : clausesOf(inner)));
}

test('every clause of the shipped contracts is shown in Chinese, and no text is left of one that is gone', () => {
	const clauses = new Set(profiles.flatMap((name) => clausesOf(parse(readFileSync(join(FOLDER, name), 'utf8')))));
	expect(clauses.size).toBeGreaterThan(100);
	expect(Object.keys(CLAUSES_ZH).sort()).toEqual([...clauses].sort());
	expect(Object.values(CLAUSES_ZH).filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([]);
});
