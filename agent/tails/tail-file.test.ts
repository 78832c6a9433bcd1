import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { TailFile } from './tail-file.ts';

let folder: TemporaryFolder | null = null;
let tail: TailFile | null = null;
afterEach(async () => {
	await tail?.close();
	folder?.remove();
	tail = null;
	folder = null;
});

test('what a program still writes into the file that was moved away is read before the new file', async () => {
	folder = temporaryFolder('tail');
	const path = join(folder.path, 'app.log');
	writeFileSync(path, 'one\n');
	tail = new TailFile({ path, position: null, begin: 'start', startsEvent: null, onLost: () => {} });
	const read: string[] = [];
	const look = async () => {
		for (const event of (await tail?.read(100)) ?? []) read.push(event.bytes.toString());
	};
	await look();
	await look();
	renameSync(path, `${path}.1`);
	writeFileSync(path, 'three\n');
	await look();
	appendFileSync(`${path}.1`, 'two\n');
	for (let i = 0; i < 6; i++) await look();
	expect(read).toEqual(['one', 'two', 'three']);
});
