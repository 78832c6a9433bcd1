import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { attachedFile, createAttachments, keepAnother } from './attachments.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('attachments');
});
afterEach(() => folder.remove());

test('one file that several people attach at once is kept once, whole', async () => {
	const attachments = createAttachments(folder.path);
	const bytes = Buffer.alloc(300_000, 'evidence');
	const kept = await Promise.all(Array.from({ length: 8 }, () => attachments.keep(bytes, bytes.length)));
	expect(new Set(kept.map(({ sha256 }) => sha256)).size).toBe(1);
	expect(readdirSync(join(folder.path, 'faults'))).toEqual([kept[0]?.sha256]);
	expect((await attachments.read(kept[0]?.sha256 ?? '')).equals(bytes)).toBe(true);
});

test('a case takes 200 files and no more, and keeps nothing of the next one', async () => {
	const attachments = createAttachments(folder.path);
	const file = { name: 'a.txt', bytes: Buffer.from('one'), maxBytes: 3 };
	const first = attachedFile(await keepAnother(attachments, [], file));
	expect(first).toMatchObject({ id: '1', name: 'a.txt', sizeBytes: 3 });
	const known = Array.from({ length: 199 }, () => first);
	expect(await keepAnother(attachments, known, file)).toMatchObject({ attachment: '200' });
	const another = keepAnother(attachments, [...known, first], { ...file, bytes: Buffer.from('two') });
	await expect(another).rejects.toMatchObject({ code: 'FN_DESK_ATTACHMENT', status: 413 });
	expect(readdirSync(join(folder.path, 'faults'))).toHaveLength(1);
});
