import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findCommand, freePort, startProcess, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { collect, failureOf, oneInput } from '../input.fixture.ts';

const folder = temporaryFolder('textfile');
afterAll(() => folder.remove());
let count = 0;
function newFolder(files: Readonly<Record<string, string>>): string {
	const path = join(folder.path, String(count++));
	mkdirSync(path);
	for (const [name, text] of Object.entries(files)) {
		writeFileSync(join(path, name), text);
		utimesSync(join(path, name), 1_772_000_000, 1_772_000_000);
	}
	return path;
}
const textfile = (directory: string, more: object = {}) => oneInput({ textfile: [{ directory, ...more }] });

const FILES = {
	'one.prom': '# HELP batch_rows Rows of the batch.\n# TYPE batch_rows gauge\nbatch_rows{name="a"} 3\nbatch_rows{name="b"} 4\n',
	'two.prom': '# HELP batch_rows Rows of the batch.\n# TYPE batch_rows gauge\nbatch_rows{name="c"} 5\nbatch_done 1\n',
	'other.txt': 'ignored 1\n',
};

test('files of a folder, with their age', async () => {
	const directory = newFolder(FILES);
	const input = textfile(directory);
	expect(input.target).toMatchObject({ job: 'node', instance: 'app-1' });
	expect(await collect(input)).toEqual({
		'batch_rows{name="a"}': 3,
		'batch_rows{name="b"}': 4,
		'batch_rows{name="c"}': 5,
		batch_done: 1,
		[`node_textfile_mtime_seconds{file="${directory}/one.prom"}`]: 1_772_000_000,
		[`node_textfile_mtime_seconds{file="${directory}/two.prom"}`]: 1_772_000_000,
		node_textfile_scrape_error: 0,
	});
});

test.each([
	{ name: 'malformed', text: 'not a metric {' },
	{ name: 'with a time of its own', text: 'a 1 1772000000000\n' },
	{ name: 'too large', text: `a 1\n# ${'x'.repeat(5000)}\n` },
])('a file that is $name is left out, the others count', async ({ text }) => {
	const directory = newFolder({ ...FILES, 'bad.prom': text });
	const found = await collect(textfile(directory, { max_bytes: 4096 }));
	expect(found).toMatchObject({ batch_done: 1, node_textfile_scrape_error: 1 });
	expect(found).not.toHaveProperty('a');
	expect(Object.keys(found).some((name) => name.includes('bad.prom'))).toBe(false);
});

test('too many files are said', async () => {
	expect(await collect(textfile(newFolder(FILES), { max_files: 1 }))).toMatchObject({
		node_textfile_scrape_error: 1,
		'batch_rows{name="a"}': 3,
	});
});

test('a folder that is not there is a failure of its own', async () => {
	const directory = newFolder({});
	rmSync(directory, { recursive: true });
	expect(await failureOf(textfile(directory))).toMatchObject({ code: 'FN_AGENT_FILE_UNREADABLE' });
});

const exporter = findCommand('prometheus-node-exporter');

describe.skipIf(exporter === null)('beside the real node_exporter', () => {
	test('the same series for the same folder', async () => {
		const directory = newFolder({ ...FILES, 'bad.prom': 'not a metric {', 'timed.prom': 'timed 1 1772000000000\n' });
		const port = await freePort();
		const child = startProcess(exporter ?? '', [
			...['--collector.disable-defaults', '--collector.textfile', `--collector.textfile.directory=${directory}`],
			`--web.listen-address=127.0.0.1:${port}`,
		]);
		try {
			const text = await waitFor('the exporter', async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
			const theirs = text
				.split('\n')
				.filter((line) => /^(batch_|timed|node_textfile_)/.test(line))
				.sort();
			const ours = Object.entries(await collect(textfile(directory))).map(([name, value]) => `${name} ${value}`);
			const plain = (line: string) => `${line.slice(0, line.lastIndexOf(' '))} ${Number(line.slice(line.lastIndexOf(' ') + 1))}`;
			expect(ours.sort()).toEqual(theirs.map(plain).sort());
		} finally {
			await child.stop();
		}
	});
});
