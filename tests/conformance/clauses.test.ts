import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CLAUSES_ZH } from '../../console/src/texts/clauses-zh.ts';
import { zh } from '../../console/src/texts/zh.ts';

const FOLDER = resolve(import.meta.dirname, '../../rules/contracts');
const profiles = readdirSync(FOLDER).filter((name) => name.endsWith('.yml') && !name.endsWith('.scenario.yml'));

function clausesOf(value: unknown): readonly string[] {
	if (Array.isArray(value)) return value.flatMap(clausesOf);
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) =>
		/(^|_)clause$/.test(key) && typeof inner === 'string' ? [inner] : clausesOf(inner),
	);
}

test('every clause of the shipped contracts is shown in Chinese, and no text is left of one that is gone', () => {
	const clauses = new Set(profiles.flatMap((name) => clausesOf(parse(readFileSync(join(FOLDER, name), 'utf8')))));
	expect(clauses.size).toBeGreaterThan(100);
	expect(Object.keys(CLAUSES_ZH).sort()).toEqual([...clauses].sort());
	expect(Object.values(CLAUSES_ZH).filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([]);
});

test('what the shipped contracts leave open is asked, and every answer is named', () => {
	const settings = profiles.flatMap((name) => {
		const profile: { settings?: Record<string, { options: Record<string, unknown> }> } = parse(readFileSync(join(FOLDER, name), 'utf8'));
		return Object.entries(profile.settings ?? {});
	});
	const { questionNames, answerNames } = zh.assessment;
	expect(Object.keys(questionNames).sort()).toEqual([...new Set(settings.map(([id]) => id))].sort());
	expect(Object.keys(answerNames).sort()).toEqual([...new Set(settings.flatMap(([, { options }]) => Object.keys(options)))].sort());
});
