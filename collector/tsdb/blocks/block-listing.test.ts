import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../../tests/harness/process.ts';
import { BlockListing } from './block-listing.ts';

const HOURS = 'samples-2026-11-20.db';
const OTHER = 'samples-2026-11-21.db';
let folder: TemporaryFolder;
let listing: BlockListing;
beforeEach(() => {
	folder = temporaryFolder('block-listing');
	listing = new BlockListing(folder.path);
});
afterEach(() => folder.remove());

const write = (name: string) => writeFileSync(join(folder.path, name), '');
/** As if the last change had been a minute ago. */
const settle = () => utimesSync(folder.path, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
const names = () => listing.files.map(({ name }) => name).sort();

test('a folder that has not changed is not read again', () => {
	write(HOURS);
	settle();
	expect(listing.refresh()).toBe(true);
	expect(listing.refresh()).toBe(false);
	expect(names()).toEqual([HOURS]);
	expect(listing.has(HOURS)).toBe(true);
});

test.each<[string, () => void, readonly string[]]>([
	['comes', () => write(OTHER), [HOURS, OTHER]],
	['goes', () => rmSync(join(folder.path, HOURS)), []],
	['takes the place of another', () => renameSync(join(folder.path, HOURS), join(folder.path, OTHER)), [OTHER]],
])('it is read again when a file %s', (_what, change, expected) => {
	write(HOURS);
	settle();
	listing.refresh();
	change();
	expect(listing.refresh()).toBe(true);
	expect(names()).toEqual(expected);
});

test('a change within the tick of the one before, which leaves the same time, is seen', () => {
	write(HOURS);
	// As if it were now, however long this test takes.
	const stamp = Date.now() / 1000 + 60;
	utimesSync(folder.path, stamp, stamp);
	listing.refresh();
	write(OTHER);
	utimesSync(folder.path, stamp, stamp);
	expect(listing.refresh()).toBe(true);
	expect(names()).toEqual([HOURS, OTHER]);
});

test('a folder that is not there has no files, and is found when it comes', () => {
	write(HOURS);
	settle();
	listing.refresh();
	rmSync(folder.path, { recursive: true });
	expect(() => listing.refresh()).toThrow('ENOENT');
	expect(names()).toEqual([]);
	mkdirSync(folder.path);
	write(OTHER);
	expect(listing.refresh()).toBe(true);
	expect(names()).toEqual([OTHER]);
});
