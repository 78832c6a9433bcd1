import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig, ServiceConfig } from '../inventory/config.ts';
import type { StateDatabase } from '../state/database.ts';
import { maintenanceCoverage } from './coverage.ts';
import { judgeWindow, type MaintenancePolicy } from './policy.ts';
import {
	assertRequest,
	foldWindow,
	type MaintenanceEvent,
	type MaintenanceRequest,
	type MaintenanceWindow,
	occurrences,
} from './window.ts';

export interface Person {
	readonly account: string;
	readonly role: string;
}

export interface Maintenance {
	/** Throws `FN_MAINTENANCE_INVALID`. */
	request(request: MaintenanceRequest, person: Person): Promise<MaintenanceWindow>;
	/** Throws `FN_MAINTENANCE_UNKNOWN`, `FN_MAINTENANCE_OWN`, `FN_MAINTENANCE_STATE`. */
	approve(id: string, person: Person, note: string): Promise<MaintenanceWindow>;
	refuse(id: string, person: Person, note: string): Promise<MaintenanceWindow>;
	cancel(id: string, person: Person, note: string): Promise<MaintenanceWindow>;
	consent(
		id: string,
		person: Person,
		consent: { readonly by: string; readonly atMs: number; readonly evidence: string },
	): Promise<MaintenanceWindow>;
	/** The actual beginning or end of the occurrence that was planned for `occurrenceMs`. */
	record(
		id: string,
		person: Person,
		actual: { readonly kind: 'started' | 'ended'; readonly occurrenceMs: number; readonly actualMs: number },
	): Promise<MaintenanceWindow>;
	get(id: string): MaintenanceWindow;
	/** Those with a planned time in the span, oldest first. */
	list(fromMs: number, toMs: number): readonly MaintenanceWindow[];
	/** Approved and going on now: what holds notifications of these services back. */
	active(nowMs: number): readonly { readonly window: MaintenanceWindow; readonly services: readonly string[] }[];
	/** Work that was begun, should have ended by now, and whose end nobody recorded. */
	overruns(nowMs: number): readonly Overrun[];
	/** For each alert the id of the window that holds it now, `''` where none does. */
	hold(nowMs: number): (labels: Readonly<Record<string, string>>) => string;
	/** What the contract of the service lets be excluded in the span; nothing without a contract that says so. */
	exclusions(service: ServiceConfig, span: SecondSpan): readonly (SecondSpan & { readonly reason: string })[];
}

export interface Overrun {
	readonly window: MaintenanceWindow;
	readonly occurrenceMs: number;
	readonly plannedEndMs: number;
}

const APPROVERS = ['system'];

/** Reads all windows at the start and keeps them: there are a few hundred in a contract's life. */
export async function createMaintenance(options: {
	readonly state: StateDatabase;
	readonly clock: Clock;
	readonly inventory: () => InventoryConfig;
	/** After every change, so that figures are computed anew. */
	readonly onChange?: () => void;
}): Promise<Maintenance> {
	const { state, clock, inventory } = options;
	const windows = new Map<string, MaintenanceWindow>();
	const rows = await state.selectFrom('maintenance_event').selectAll().orderBy('window_id').orderBy('seq').execute();
	for (const [id, own] of Map.groupBy(rows, (row) => row.window_id))
		windows.set(
			id,
			foldWindow(
				id,
				own.map((row) => JSON.parse(row.event) as MaintenanceEvent),
			),
		);

	const get = (id: string): MaintenanceWindow => {
		const window = windows.get(id);
		if (window === undefined)
			throw new AppError('FN_MAINTENANCE_UNKNOWN', `there is no maintenance window "${id.slice(0, 64)}"`, { status: 404 });
		return window;
	};
	const append = async (id: string, events: readonly MaintenanceEvent[], event: MaintenanceEvent): Promise<MaintenanceWindow> => {
		const next = foldWindow(id, [...events, event]);
		// The primary key (window, seq) refuses a second writer that saw the same history.
		await state
			.insertInto('maintenance_event')
			.values({
				window_id: id,
				seq: events.length,
				at_ms: event.atMs,
				actor: event.actor.slice(0, 64),
				kind: event.kind,
				event: JSON.stringify(event),
			})
			.execute();
		windows.set(id, next);
		options.onChange?.();
		return next;
	};
	const open = (id: string, action: string): MaintenanceWindow => {
		const window = get(id);
		if (window.state === 'requested' || window.state === 'approved') return window;
		throw new AppError('FN_MAINTENANCE_STATE', `the maintenance window is ${window.state}; it cannot be ${action} any more`, {
			status: 409,
		});
	};
	const policyOf = (service: ServiceConfig): MaintenancePolicy | null => {
		const rule = inventory().maintenance.find(({ contract }) => contract === service.contract);
		return rule === undefined
			? null
			: {
					noticeMs: parseDuration(rule.notice),
					clientConsent: rule.client_consent,
					approverRoles: APPROVERS,
					retroactive: rule.retroactive,
				};
	};
	const sorted = () => [...windows.values()].sort((a, b) => a.request.fromMs - b.request.fromMs || (a.id < b.id ? -1 : 1));

	const active: Maintenance['active'] = (nowMs) =>
		sorted().flatMap((window) => {
			if (window.state !== 'approved') return [];
			const now = occurrences(window.request, nowMs, nowMs + 1)[0];
			const ended = now === undefined ? null : (window.actual.get(now.fromMs)?.endMs ?? null);
			return now === undefined || (ended !== null && ended <= nowMs) ? [] : [{ window, services: window.request.services }];
		});

	return {
		request: (request, person) => {
			const { services, hosts } = inventory();
			assertRequest(request, { services: services.map(({ id }) => id), hosts: hosts.map(({ id }) => id) });
			const atMs = clock.now();
			return append(uuidv7(atMs), [], { kind: 'requested', atMs, actor: person.account, request });
		},
		approve: async (id, person, note) => {
			const { events, requestedBy } = open(id, 'approved');
			if (requestedBy === person.account)
				throw new AppError('FN_MAINTENANCE_OWN', 'whoever asks for a maintenance window cannot approve it; another person must', {
					status: 403,
				});
			return append(id, events, { kind: 'approved', atMs: clock.now(), actor: person.account, role: person.role, note });
		},
		refuse: async (id, person, note) =>
			append(id, open(id, 'refused').events, { kind: 'refused', atMs: clock.now(), actor: person.account, note }),
		cancel: async (id, person, note) =>
			append(id, open(id, 'cancelled').events, { kind: 'cancelled', atMs: clock.now(), actor: person.account, note }),
		consent: async (id, person, { by, atMs, evidence }) => {
			const now = clock.now();
			if (atMs > now) throw new AppError('FN_MAINTENANCE_INVALID', 'consent cannot have been given in the future', { status: 400 });
			return append(id, open(id, 'consented to').events, {
				kind: 'consented',
				atMs: now,
				actor: person.account,
				by,
				consentAtMs: atMs,
				evidence,
			});
		},
		record: async (id, person, { kind, occurrenceMs, actualMs }) => {
			const window = get(id);
			const bad = (message: string) => new AppError('FN_MAINTENANCE_INVALID', message, { status: 400 });
			if (window.state !== 'approved')
				throw new AppError('FN_MAINTENANCE_STATE', `the maintenance window is ${window.state}; only approved work can begin or end`, {
					status: 409,
				});
			if (!occurrences(window.request, occurrenceMs, occurrenceMs + 1).some(({ fromMs }) => fromMs === occurrenceMs))
				throw bad('no window was planned to begin at that time');
			if (actualMs > clock.now()) throw bad('work cannot have begun or ended in the future');
			const known = window.actual.get(occurrenceMs);
			if (kind === 'ended' && known?.startMs !== undefined && known.startMs !== null && actualMs < known.startMs)
				throw bad('work cannot end before it began');
			if (kind === 'started' && known?.endMs !== undefined && known.endMs !== null && actualMs > known.endMs)
				throw bad('work cannot begin after it ended');
			return append(id, window.events, { kind, atMs: clock.now(), actor: person.account, occurrenceMs, actualMs });
		},
		get,
		list: (fromMs, toMs) => sorted().filter(({ request }) => occurrences(request, fromMs, toMs).length > 0),
		active,
		overruns: (nowMs) =>
			sorted()
				.filter(({ state: known }) => known === 'approved')
				.flatMap((window) => {
					const length = window.request.toMs - window.request.fromMs;
					// What was begun is on record: the schedule need not be walked through.
					return [...window.actual]
						.filter(([fromMs, work]) => fromMs + length <= nowMs && work.startMs !== null && work.endMs === null)
						.map(([fromMs]) => ({ window, occurrenceMs: fromMs, plannedEndMs: fromMs + length }));
				}),
		hold: (nowMs) =>
			maintenanceCoverage(
				active(nowMs).map(({ window }) => window),
				inventory(),
			),
		exclusions: (service, span) => {
			const policy = policyOf(service);
			if (policy === null) return [];
			return sorted()
				.filter(({ request }) => request.services.includes(service.id))
				.flatMap((window) => judgeWindow(window, policy, span).excluded);
		},
	};
}
