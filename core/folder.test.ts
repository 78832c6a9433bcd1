import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';
import { makeFolder } from './folder.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('folder');
});
afterEach(() => folder.remove());

test('makes parents, with the mode, and is content when it is there', () => {
	const path = join(folder.path, 'a/b/c');
	makeFolder(path, 0o700);
	makeFolder(path, 0o700);
	expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('a file in the way is an error', () => {
	writeFileSync(join(folder.path, 'file'), '');
	expect(() => makeFolder(join(folder.path, 'file'), 0o700)).toThrow(/EEXIST/);
	expect(() => makeFolder(join(folder.path, 'file/below'), 0o700)).toThrow(/ENOTDIR/);
});

test.skipIf(!existsSync('/proc/self'))('a file system that makes no folders is an error, not an endless loop', () => {
	expect(() => makeFolder('/proc/fournines/data', 0o700)).toThrow(/ENOENT/);
});
