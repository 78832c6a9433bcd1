import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';

const BEGIN = Date.parse('2026-03-01T00:00:00Z');
/** More than two pages of what is read at once. */
const INCIDENTS = 1203;
let collector: TrialCollector;

beforeAll(async () => {
	collector = await startTrialCollector('statistics');
	const database = new DatabaseSync(join(collector.folder, 'data', 'state', 'state.db'), { timeout: 10_000 });
	try {
		const insert = database.prepare(
			"insert into incident (id, number, state, opened_at_ms, resolved_at_ms, due_at_ms, pending, snapshot) values (?, ?, 'resolved', ?, ?, null, 0, ?)",
		);
		database.exec('begin');
		for (let number = 1; number <= INCIDENTS; number++) {
			const openedAtMs = BEGIN + number * 1000;
			// The oldest ones were taken late: whoever counts the newest only shows better figures than there are.
			const acknowledgedAtMs = openedAtMs + (number <= 600 ? 600_000 : 0);
			const resolvedAtMs = openedAtMs + 900_000;
			const incident = {
				id: `i${number}`,
				number,
				state: 'resolved',
				source: { kind: 'alerts' },
				openedAtMs,
				acknowledgedAtMs,
				resolvedAtMs,
			};
			insert.run(incident.id, number, openedAtMs, resolvedAtMs, JSON.stringify(incident));
		}
		database.exec('commit');
	} finally {
		database.close();
	}
});
afterAll(() => collector.remove());

test.each([
	{ name: 'all of a span', fromMs: BEGIN, toMs: BEGIN + 86_400_000, count: INCIDENTS, mttaMs: Math.round((600 * 600_000) / INCIDENTS) },
	{ name: 'a part that fills two pages to the last line', fromMs: BEGIN + 1000, toMs: BEGIN + 1_001_000, count: 1000, mttaMs: 360_000 },
	{ name: 'nothing where there was nothing', fromMs: 0, toMs: 1000, count: 0, mttaMs: null },
])('figures of incidents count $name', async ({ fromMs, toMs, count, mttaMs }) => {
	const span = `from=${fromMs / 1000}&to=${toMs / 1000}`;
	const { text } = await collector.call('GET', `/api/fournines/v1/incidents/statistics?${span}`, { token: 'local-read' });
	expect(JSON.parse(text)).toMatchObject({ count, mttaMs });
});
