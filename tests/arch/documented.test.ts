import { expect, test } from 'vitest';
import { documents, sourceFiles } from './source-files.ts';

const shipped = sourceFiles(['protocol', 'core', 'agent', 'alerts', 'collector', 'cli', 'scripts']).filter(
	({ path }) => !/\.(test|fixture)\.ts$/.test(path),
);

function inCode(pattern: RegExp): readonly string[] {
	return [...new Set(shipped.flatMap(({ text }) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')))].sort();
}

function inTables(folder: string, pattern: RegExp): readonly string[] {
	return [...new Set([...documents(folder).matchAll(pattern)].map((match) => match[1] ?? ''))].sort();
}

test('every error code is in docs/errors, and every code there exists', () => {
	const codes = inCode(/'(FN_[A-Z0-9_]+)'/g);
	expect(codes.length).toBeGreaterThan(50);
	expect(inTables('errors', /^\| `(FN_[A-Z0-9_]+)`/gm)).toEqual(codes);
});

test('every metric of our own is in docs/metrics, and every metric there exists', () => {
	const metrics = inCode(/['"`](fournines_[a-z0-9_]+)['"`]/g).filter((name) => !NOT_METRICS.includes(name) && !name.endsWith('_'));
	expect(metrics.length).toBeGreaterThan(20);
	expect(inTables('metrics', /^\| `(fournines_[a-z0-9_]+)`/gm)).toEqual(metrics);
});

/** Names that look like metrics and are not. */
const NOT_METRICS = ['fournines_session'];

test('nothing is left unfinished or out of place in what ships', () => {
	const marks = /\b(TODO|FIXME|XXX)\b|placeholder text|(?:it|test|describe)\.(?:only|todo)\b/;
	expect(shipped.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
});

test('no file has outgrown its concept', () => {
	const long = shipped.map(({ path, text }) => ({ path, lines: text.split('\n').length })).filter(({ lines }) => lines > 450);
	expect(long).toEqual([]);
});
