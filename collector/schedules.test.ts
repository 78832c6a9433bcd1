import { expect, test } from 'vitest';
import { parseConfig } from '../core/config-file.ts';
import type { Logger } from '../core/log.ts';
import { silentLogger } from '../core/log.ts';
import { waitFor } from '../tests/harness/process.ts';
import { CollectorConfigSchema, checkCollectorConfig } from './config.ts';
import { startSchedules } from './schedules.ts';

const read = (text: string) => parseConfig(text, { file: 'collector.yml', schema: CollectorConfigSchema, check: checkCollectorConfig });

test('a disk that refuses a checkpoint is told of, and the collector goes on', async () => {
	const result = read('');
	if (result.kind === 'bad') throw new Error(JSON.stringify(result.problems));
	// Once a second, so that nobody has to wait for an hour.
	const config = { ...result.config, audit: { seal: '* * * * * *' } };
	const errors: string[] = [];
	const log: Logger = { ...silentLogger, error: (_fields, message) => void errors.push(message) };
	let turns = 0;
	const archive = {
		seal: () => {
			turns++;
			throw new Error('ENOSPC: no space left on device, write');
		},
		sync: () => {},
	};
	const schedules = startSchedules(config, {
		archive,
		reports: { issueLastMonth: async () => [], issueMissed: async () => {} },
		log,
	});
	try {
		await waitFor('two turns', async () => turns >= 2);
	} finally {
		await schedules.stop();
	}
	expect(errors[0]).toMatch(/log archive could not be closed/);
});

test.each([
	{ key: 'audit.seal', text: 'audit: { seal: "0 * * *" }', says: 'instead of five' },
	{ key: 'audit.seal', text: 'audit: { seal: "0 25 * * *" }', says: '25' },
	{ key: 'reports.monthly', text: 'reports: { monthly: tomorrow }', says: 'instead of five' },
	{ key: 'reports.monthly', text: 'reports: { monthly: "10 1 30 2 *" }', says: 'never comes' },
])('$text is said when the file is checked, not when the collector has started', ({ key, text, says }) => {
	const result = read(text);
	if (result.kind === 'ok') throw new Error('it was taken');
	expect(result.problems).toMatchObject([{ path: key, message: expect.stringContaining(says) }]);
});
