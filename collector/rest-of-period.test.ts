import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { configOrThrow } from '../core/config-file.ts';
import { createAvailability } from './availability/availability.ts';
import { assess } from './contracts/assess.ts';
import { periodOf } from './contracts/period.ts';
import { CLOCKS, shippedProfile } from './contracts/scenario.fixture.ts';
import { assessedServices } from './contracts/service-figures.ts';
import { parseInventoryFile } from './inventory/inventory-yaml.ts';
import { judgeWindow } from './maintenance/policy.ts';
import { foldWindow, type MaintenanceEvent } from './maintenance/window.ts';
import { createMemoryStorage } from './storage/memory-storage.ts';

const HOUR = 3_600_000;
const profile = shippedProfile('shaanxi-2023');
const period = periodOf(profile, '2023-05');
const seconds = (period.toMs - period.fromMs) / 1000;
const policy = { noticeMs: 72 * HOUR, clientConsent: true, approverRoles: ['system'], retroactive: false };
const inventoryOf = (calendar: string, removed: string) =>
	configOrThrow(
		parseInventoryFile(
			`inventory:
  calendars: [{ id: day, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }]
  checks: [{ id: page }]
  services: [{ id: mis, name: MIS, core: true, checks: [page], calendar: ${calendar}${removed} }]
`,
			'x.yml',
		),
	);

/** Hours after the beginning of the month. */
interface Asked {
	readonly from: number;
	readonly hours: number;
	readonly notice: number;
	readonly approved: boolean;
	readonly consented: boolean;
}

function windowOf({ from, hours, notice, approved, consented }: Asked, i: number) {
	const fromMs = period.fromMs + from * HOUR;
	const atMs = fromMs - notice * HOUR;
	const request = { title: 'x', services: ['mis'], fromMs, toMs: fromMs + hours * HOUR, recurrence: null, reason: '', rollback: '' };
	const events: MaintenanceEvent[] = [{ kind: 'requested', atMs, actor: 'asks', request }];
	if (approved) events.push({ kind: 'approved', atMs, actor: 'decides', role: 'system', note: '' });
	if (consented) events.push({ kind: 'consented', atMs, actor: 'asks', by: 'client', consentAtMs: atMs, evidence: 'letter' });
	return foldWindow(`w${i}`, events);
}

async function priced(asked: readonly Asked[], nowHours: number, more: { readonly calendar?: string; readonly removed?: string } = {}) {
	const inventory = inventoryOf(more.calendar ?? 'always', more.removed ?? '');
	const nowMs = period.fromMs + nowHours * HOUR;
	const windows = asked.map(windowOf);
	const availability = createAvailability({
		queryable: createMemoryStorage(),
		inventory: () => inventory,
		clock: { ...systemClock, now: () => nowMs },
		exclusions: async (_service, span) => windows.flatMap((window) => judgeWindow(window, policy, span).excluded),
	});
	const services = await assessedServices(availability, inventory.services, {
		profile,
		period,
		faults: [],
		failures: [],
		caused: [],
		nowMs,
		inventory,
	});
	const { next } = assess(profile, period, { faults: [], services, records: [], nowMs }, CLOCKS);
	return { agreed: services[0]?.agreedSecondsOfPeriod, next: next.find(({ kind }) => kind === 'downtime')?.seconds };
}

test('maintenance that is approved for later is no time that downtime is measured by, and that is not approved is', async () => {
	const later = { from: 500, hours: 100, notice: 72, approved: true, consented: true };
	expect(await priced([later], 200)).toEqual({ agreed: seconds - 360_000, next: Math.floor((seconds - 360_000) * 0.0002) + 1 });
	expect(await priced([{ ...later, approved: false }], 200)).toEqual({ agreed: seconds, next: Math.floor(seconds * 0.0002) + 1 });
	expect(
		(
			await priced(
				[
					{ ...later, notice: 71 },
					{ ...later, consented: false },
				],
				200,
			)
		).agreed,
	).toBe(seconds);
});

test('so are closed hours, and the time after a service is gone', async () => {
	expect((await priced([], 200, { calendar: 'day' })).agreed).toBe(seconds / 2);
	expect((await priced([], 200, { removed: ', removed: 2023-05-21' })).agreed).toBe(20 * 86_400);
});

test('whatever is approved, what is left agrees with a walk over every second, and so does the second that costs', async () => {
	const windows = fc.array(
		fc.record({
			from: fc.integer({ min: 0, max: 743 }),
			hours: fc.integer({ min: 1, max: 60 }),
			notice: fc.integer({ min: 70, max: 74 }),
			approved: fc.boolean(),
			consented: fc.boolean(),
		}),
		{ maxLength: 4 },
	);
	await fc.assert(
		fc.asyncProperty(windows, fc.integer({ min: 1, max: 743 }), fc.constantFrom('always', 'day'), async (asked, now, calendar) => {
			const counted = asked.filter(({ notice, approved, consented }) => notice >= 72 && approved && consented);
			let agreed = 0;
			for (let second = 0; second < seconds; second++) {
				const hour = second / 3600;
				const closed = calendar === 'day' && (hour % 24 < 8 || hour % 24 >= 20);
				if (!closed && !counted.some(({ from, hours }) => hour >= from && hour < from + hours)) agreed++;
			}
			// Steps of a hundredth of a percent below 99.99 %.
			const steps = (down: number) => Math.max(0, Math.floor((9999 * agreed - 10_000 * (agreed - down)) / agreed));
			let next = 1;
			while (next <= agreed && steps(next) === 0) next++;
			expect(await priced(asked, now, { calendar })).toEqual({ agreed, next });
		}),
		{ numRuns: 25 },
	);
});
