import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Role } from '../../protocol/api.ts';
import type { Change, ChangeAnswer, ChangeRequest } from '../../protocol/change-api.ts';
import type { ContractsConfig } from '../contracts/config.ts';
import { may } from '../identity/rights.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { AttachBody } from '../state/attachments.ts';
import { type CaseEvent, type CaseFiles, createCases, type KeptCase } from '../state/cases.ts';
import type { StateDatabase } from '../state/database.ts';
import { applyToChange, CHANGE_OVER, type ChangeAction, type ChangeBody, missingSteps } from './change.ts';

export interface ChangeActor {
	readonly account: string;
	readonly role: Role;
}

export interface Changes {
	/** Throws `FN_CHANGE_INVALID`, `FN_CHANGE_FORBIDDEN`. */
	request(request: ChangeRequest, actor: ChangeActor): Promise<ChangeAnswer>;
	/** Throws `FN_CHANGE_UNKNOWN` (404), `FN_CHANGE_FORBIDDEN`, `FN_CHANGE_OWN` (403), `FN_CHANGE_STEP`, `FN_CHANGE_BUSY` (409). */
	act(id: string, action: ChangeAction, actor: ChangeActor): Promise<ChangeAnswer>;
	get(id: string): Promise<ChangeAnswer>;
	/** Throws as `act`, and `FN_DESK_ATTACHMENT`. */
	attach(id: string, name: string, bytes: Buffer, actor: ChangeActor): Promise<ChangeAnswer>;
	attachment(id: string, attachment: string): Promise<{ readonly name: string; readonly bytes: Buffer }>;
	events(id: string): Promise<readonly CaseEvent<ChangeBody | AttachBody>[]>;
	list(which: 'open' | { readonly fromMs: number; readonly toMs: number }): Promise<readonly ChangeAnswer[]>;
	/** Those that were worked on in the range, or are planned for it. */
	touching(fromMs: number, toMs: number): Promise<readonly ChangeAnswer[]>;
}

/** Changes are asked for at most this long before they begin. */
const PLANNED_AHEAD_MS = 400 * 86_400_000;

export function createChanges(options: {
	readonly state: StateDatabase;
	readonly files: CaseFiles;
	readonly inventory: () => InventoryConfig;
	readonly parties: () => ContractsConfig['parties'];
	readonly clock: Clock;
}): Changes {
	const { inventory, parties } = options;
	const cases = createCases<Change, ChangeBody>({
		state: options.state,
		files: options.files,
		kind: 'change',
		over: CHANGE_OVER,
		apply: applyToChange,
		unknown: (id) => new AppError('FN_CHANGE_UNKNOWN', `there is no change "${id.slice(0, 64)}"`, { status: 404 }),
		clock: options.clock,
	});
	const view = ({ number, state: change }: KeptCase<Change>): ChangeAnswer => ({ number, change, missing: missingSteps(change) });
	const assertMay = ({ account, role }: ChangeActor, kind: ChangeBody['kind'] | 'attach'): void => {
		const allowed =
			kind === 'approve-for-client'
				? parties().client.includes(account)
				: kind === 'approve' || kind === 'refuse'
					? may(role, 'maintenance.approve')
					: may(role, 'desk');
		if (allowed) return;
		const who =
			kind === 'approve-for-client'
				? 'accounts of the client, named under contracts.parties.client'
				: kind === 'approve' || kind === 'refuse'
					? 'system administrators'
					: 'operators and system administrators';
		throw new AppError('FN_CHANGE_FORBIDDEN', `"${kind}" is for ${who}; "${account}" is ${role}`, { status: 403 });
	};
	/** 一人一变更: who does one piece of work does no other at the same time. */
	const assertFree = async (account: string, id: string): Promise<void> => {
		const busy = (await cases.list('open')).find(({ state }) => state.stage === 'started' && state.executor === account && state.id !== id);
		if (busy !== undefined)
			throw new AppError('FN_CHANGE_BUSY', `"${account}" is at work on change ${busy.number}; one person does one change at a time`, {
				status: 409,
			});
	};
	const list: Changes['list'] = async (which) => (await cases.list(which)).map(view);
	return {
		request: async (request, actor) => {
			assertMay(actor, 'request');
			const known = inventory();
			const bad = (message: string) => new AppError('FN_CHANGE_INVALID', message, { status: 400 });
			const services = request.services.filter((id) => !known.services.some((service) => service.id === id));
			if (services.length > 0) throw bad(`there is no service "${services.join('", "')}"`);
			const hosts = request.hosts.filter((id) => known.hosts.length > 0 && !known.hosts.some((host) => host.id === id));
			if (hosts.length > 0) throw bad(`there is no host "${hosts.join('", "')}"`);
			if (request.services.length + request.hosts.length === 0) throw bad('name at least one service or host that is changed');
			return view(
				await cases.open(actor.account, { kind: 'request', ...request, services: [...request.services], hosts: [...request.hosts] }),
			);
		},
		act: async (id, action, actor) => {
			assertMay(actor, action.kind);
			const check = action.kind === 'start' ? { check: (change: Change) => assertFree(actor.account, change.id) } : {};
			return view(await cases.act(id, { actor: actor.account, body: action, ...check }));
		},
		attach: async (id, name, bytes, actor) => {
			assertMay(actor, 'attach');
			return view(await cases.attach(id, { actor: actor.account, name, bytes }));
		},
		attachment: (id, attachment) => cases.attachment(id, attachment),
		get: async (id) => view(await cases.get(id)),
		events: (id) => cases.events(id),
		list,
		touching: async (fromMs, toMs) =>
			(await list({ fromMs: fromMs - PLANNED_AHEAD_MS, toMs })).filter(({ change }) => {
				const span = spanOf(change);
				return span !== null && span.fromMs < toMs && (span.toMs ?? Number.POSITIVE_INFINITY) > fromMs;
			}),
	};
}

/** When a change was worked on; `toMs` is `null` while it is. What is only planned has its planned time, what never will be has none. */
export function spanOf(change: Change): { readonly fromMs: number; readonly toMs: number | null } | null {
	if (change.startedMs !== null)
		return { fromMs: change.startedMs, toMs: change.stage === 'started' ? null : (change.endedMs ?? change.startedMs) };
	return change.stage === 'approved' ? { fromMs: change.fromMs, toMs: change.toMs } : null;
}
