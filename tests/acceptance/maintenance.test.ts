import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAvailability } from '../../collector/availability/availability.ts';
import { parseInventoryFile } from '../../collector/inventory/inventory-yaml.ts';
import { createMaintenance } from '../../collector/maintenance/maintenance.ts';
import type { MaintenanceRequest } from '../../collector/maintenance/window.ts';
import { openStateDatabase, type StateDatabase } from '../../collector/state/database.ts';
import { createMemoryStorage } from '../../collector/storage/memory-storage.ts';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { type TemporaryFolder, temporaryFolder } from '../harness/process.ts';

const HOUR = 3_600_000;
const T0 = Date.parse('2026-11-10T00:00:00Z');
const FROM = T0 + 100 * HOUR;
const request: MaintenanceRequest = {
	title: 'x',
	services: ['s'],
	fromMs: FROM,
	toMs: FROM + 2 * HOUR,
	recurrence: null,
	reason: '',
	rollback: '',
};
let folder: TemporaryFolder;
let state: StateDatabase;
let nowMs = T0;
const clock = { ...systemClock, now: () => nowMs };
const inventory = configOrThrow(
	parseInventoryFile(
		`inventory:\n  zone: UTC\n  maintenance: [{ contract: c }]\n  checks: [{ id: k }]\n  services: [{ id: s, name: S, checks: [k], contract: c }, { id: free, name: F, checks: [k] }]`,
		'x.yml',
	),
);
const open = () => createMaintenance({ state, clock, inventory: () => inventory });
const asks = { account: 'asks', role: 'operator' };
const decides = { account: 'decides', role: 'system' };
beforeEach(async () => {
	folder = temporaryFolder('maintenance');
	state = await openStateDatabase(folder.path);
	nowMs = T0;
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

test('the ledger excludes exactly what was approved, also after a restart; overlapping windows count once', async () => {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	const labels = labelsFromObject({ __name__: 'probe_success', check: 'k', vantage: 'a' });
	for (let t = FROM - HOUR; t < FROM + 4 * HOUR; t += 10_000) appender.append(labels, t, t >= FROM && t < FROM + 3 * HOUR ? 0 : 1);
	await appender.commit();
	let maintenance = await open();
	const availability = createAvailability({
		queryable: storage,
		inventory: () => inventory,
		clock,
		exclusions: async (service, part) => maintenance.exclusions(service, part),
	});
	const figures = async (id = 's') => (await availability.ledger(id, { fromMs: FROM - HOUR, toMs: FROM + 4 * HOUR })).figures;
	const all = ['s', 'free'];
	const first = await maintenance.request({ ...request, services: all }, asks);
	const second = await maintenance.request({ ...request, services: all, fromMs: FROM + HOUR, toMs: FROM + 2.5 * HOUR }, asks);
	await expect(maintenance.approve(first.id, asks, '')).rejects.toMatchObject({ code: 'FN_MAINTENANCE_OWN' });
	await maintenance.approve(first.id, decides, 'ok');
	nowMs = FROM + 5 * HOUR;
	expect(await figures()).toMatchObject({ downSeconds: 10_800, excludedSeconds: 0 });
	nowMs = T0 + HOUR;
	await maintenance.consent(first.id, asks, { by: 'client', atMs: T0, evidence: 'mail' });
	await maintenance.approve(second.id, decides, 'ok');
	await maintenance.consent(second.id, asks, { by: 'client', atMs: T0, evidence: 'mail' });
	nowMs = FROM + 5 * HOUR;
	expect(await figures()).toMatchObject({ downSeconds: 1800, excludedSeconds: 9000 });
	// Without a contract there are no conditions, so nothing can be excluded.
	expect(await figures('free')).toMatchObject({ downSeconds: 10_800, excludedSeconds: 0 });
	maintenance = await open();
	expect(await figures()).toMatchObject({ downSeconds: 1800, excludedSeconds: 9000 });
	expect(maintenance.get(first.id).events.map(({ kind }) => kind)).toEqual(['requested', 'approved', 'consented']);
	expect(maintenance.active(FROM + HOUR).map(({ window }) => window.id)).toEqual([first.id, second.id]);
	await maintenance.record(first.id, asks, { kind: 'ended', occurrenceMs: FROM, actualMs: FROM + 0.5 * HOUR });
	expect(await figures()).toMatchObject({ downSeconds: 3600, excludedSeconds: 7200 });
	expect(maintenance.active(FROM + HOUR).map(({ window }) => window.id)).toEqual([second.id]);
});
