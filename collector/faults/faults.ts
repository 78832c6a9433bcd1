import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { AssessedFault } from '../contracts/assessed.ts';
import type { ContractsConfig } from '../contracts/config.ts';
import { type FaultClock, faultClocks, levelByMinutes } from '../contracts/fault-rules.ts';
import { type ClockRules, deadlineOrUnknownMs, spanMs } from '../contracts/limits.ts';
import type { Profile } from '../contracts/profile.ts';
import type { Failure } from '../contracts/service-figures.ts';
import type { OperationLog } from '../identity/operation-log.ts';
import { type Attachments, keepAnother, readAttached } from '../state/attachments.ts';
import { assessedFault, failureOf } from './assessed-fault.ts';
import { alertMark, apply, type Fault } from './fault.ts';
import type { FaultAction, FaultEvent, FaultNote, FaultSource } from './fault-event.ts';
import type { FaultStore, StoredFault } from './fault-store.ts';
import { faultsOfIncident, type IncidentAcknowledgement } from './incident-faults.ts';
import { isOver, type NextStep, nextSteps } from './next-steps.ts';
import { type FaultActor, mayNot } from './who-may.ts';

/** Who does something, and from where. */
export interface FaultCaller extends FaultActor {
	readonly address: string;
}

export interface NewFault {
	readonly source: FaultSource;
	readonly sourceKey: string;
	readonly service: string | null;
	readonly title: string;
	readonly point: string;
	readonly onsetMs: number;
	readonly detectedMs: number;
	/** Default: by minutes where the contract grades so, otherwise its mildest level. */
	readonly level?: string;
	/** What a contract that grades by minutes counts so far. Default: the time since its onset. */
	readonly gradedSeconds?: number;
}

export interface FaultView extends StoredFault {
	readonly steps: readonly NextStep[];
	readonly clocks: readonly FaultClock[];
}

export interface Faults {
	/** Opens a candidate, or answers the open one of the same source. Throws `FN_FAULT_STEP`. */
	open(request: NewFault): Promise<StoredFault>;
	/** Somebody reports a fault by hand, by telephone for example: opened and declared in one, at `declaredMs` where it is entered later. */
	report(
		request: Omit<NewFault, 'source' | 'sourceKey' | 'detectedMs'> & { readonly channel: string; readonly declaredMs?: number },
		caller: FaultCaller,
	): Promise<StoredFault>;
	/** Throws `FN_FAULT_UNKNOWN` (404), `FN_FAULT_FORBIDDEN` (403), `FN_FAULT_STEP` (409). */
	act(id: string, action: FaultAction, caller: FaultCaller): Promise<FaultView>;
	/** Makes a second fault out of one. Answers the new one. */
	split(
		id: string,
		request: { readonly title: string; readonly service: string | null; readonly point: string },
		caller: FaultCaller,
	): Promise<StoredFault>;
	attach(id: string, name: string, bytes: Buffer, caller: FaultCaller): Promise<FaultView>;
	attachment(id: string, attachment: string): Promise<{ readonly name: string; readonly bytes: Buffer }>;
	/** What the product itself notes. A note that does not fit the stage any more is dropped: `false`. */
	note(id: string, body: FaultNote | FaultAction, atMs?: number): Promise<boolean>;
	/**
	 * The outages of services, or an alert, is told by this fault, or by the one that it was merged into. A candidate that was opened
	 * before the cause was known, and that nobody took, is merged into it. What is known already adds nothing.
	 */
	affect(id: string, told: ToldByFault): Promise<void>;
	/**
	 * On-call acknowledged an incident: the same acknowledgement is copied to the fault that it is tied to, to those that were
	 * opened for its alerts, and to those of an outage of its services that lasted at some moment of its time. Answers how many were new.
	 */
	copyAcknowledgement(request: IncidentAcknowledgement): Promise<number>;
	get(id: string): Promise<FaultView>;
	events(id: string): Promise<readonly FaultEvent[]>;
	list(which: 'open' | { readonly fromMs: number; readonly toMs: number }): Promise<readonly FaultView[]>;
	findSource(sourceKey: string): Promise<StoredFault | null>;
	/** What failed in the range, declared or not, without what was merged away. */
	failures(fromMs: number, toMs: number): Promise<readonly Failure[]>;
	/** Faults as a contract sees them, by their onset. Only declared ones: candidates and dismissed ones start no penalty clock. */
	assessed(profile: Profile, fromMs: number, toMs: number): Promise<readonly AssessedFault[]>;
}

export interface ToldByFault {
	readonly services?: readonly string[];
	readonly alert?: { readonly alertname: string; readonly fingerprint: string; readonly startsAtMs: number };
	readonly absorbed?: readonly StoredFault[];
}

export interface FaultsOptions {
	readonly store: FaultStore;
	readonly attachments: Attachments;
	/** The profile that prices a service. */
	readonly profileOf: (service: string | null) => Profile;
	/** A profile by its id. */
	readonly profile: (id: string) => Profile;
	readonly config: () => ContractsConfig;
	readonly clockRules: () => ClockRules;
	readonly operations: OperationLog;
	readonly clock: Clock;
}

/** What the product does by itself is done by this actor. */
export const PRODUCT = 'fournines';
const MOST_MERGES = 20;

export function createFaults(options: FaultsOptions): Faults {
	const { store, attachments, config, clock, operations } = options;
	let turn: Promise<unknown> = Promise.resolve();
	/** One change at a time: two people who declare at once must not both succeed. */
	const serial = <T>(work: () => Promise<T>): Promise<T> => {
		const next = turn.then(work);
		turn = next.catch(() => {});
		return next;
	};
	const load = async (id: string): Promise<StoredFault> => {
		const found = await store.get(id);
		if (found === null) throw new AppError('FN_FAULT_UNKNOWN', `there is no fault "${id.slice(0, 64)}"`, { status: 404 });
		return found;
	};
	const view = ({ number, fault }: StoredFault): FaultView => {
		const profile = options.profile(fault.profile);
		const nowMs = clock.now();
		return {
			number,
			fault,
			steps: nextSteps(fault, profile, options.clockRules(), nowMs),
			// At the turn of a year faults are worked on, too: what cannot be known yet keeps nothing else from being told.
			clocks: faultClocks(profile, fault, options.clockRules(), nowMs, deadlineOrUnknownMs),
		};
	};
	const added = (
		fault: Fault,
		actor: string,
		body: FaultEvent['body'],
		atMs = clock.now(),
	): { fault: Fault; events: readonly FaultEvent[] } => {
		const event = { seq: fault.seq + 1, atMs, actor, body };
		return { fault: apply(fault.id, fault, event, options.profile(fault.profile)), events: [event] };
	};
	const created = (request: NewFault, actor: string, profile: Profile): { fault: Fault; events: readonly FaultEvent[] } => {
		const nowMs = clock.now();
		const id = store.newId(nowMs);
		const level = request.level ?? proposedLevel(profile, request, nowMs);
		if (!profile.levels.some((entry) => entry.id === level)) {
			throw new AppError(
				'FN_FAULT_STEP',
				`${profile.id} has no level "${level}"; known: ${profile.levels.map((entry) => entry.id).join(', ')}`,
				{
					status: 409,
				},
			);
		}
		if (request.onsetMs > nowMs) throw new AppError('FN_FAULT_STEP', 'a fault cannot begin in the future', { status: 409 });
		const { source, sourceKey, service, title, point, onsetMs, detectedMs } = request;
		const body = { kind: 'open', source, sourceKey, profile: profile.id, service, title, point, level, onsetMs, detectedMs } as const;
		const event = { seq: 1, atMs: nowMs, actor, body };
		return { fault: apply(id, null, event, profile), events: [event] };
	};
	const recordOperation = (caller: FaultCaller, action: string, id: string, detail: string): Promise<void> =>
		operations.record({ actor: caller.account, action: `fault.${action}`, object: id, result: 'success', srcAddr: caller.address, detail });

	/** The newest earlier fault at the same point within the time that the profile calls a repeat. */
	const repeatOf = async (fault: Fault, profile: Profile): Promise<string | null> => {
		const rule = profile.rules.find((entry) => entry.kind === 'repeat');
		const onsetMs = fault.moments.onset;
		if (rule?.kind !== 'repeat' || fault.point === '' || onsetMs === null) return null;
		const earlier = await store.list({ fromMs: onsetMs - spanMs(rule.within), toMs: onsetMs });
		const same = earlier.find(
			({ fault: other }) => other.id !== fault.id && other.point === fault.point && other.moments.declared !== null,
		);
		return same?.fault.id ?? null;
	};

	const act: Faults['act'] = (id, action, caller) =>
		serial(async () => {
			const { number, fault } = await load(id);
			const profile = options.profile(fault.profile);
			const forbidden = mayNot(caller, action, profile, config().parties);
			if (forbidden !== null) {
				await operations.record({
					actor: caller.account,
					action: `fault.${action.kind}`,
					object: id,
					result: 'failure',
					srcAddr: caller.address,
					detail: forbidden,
				});
				throw new AppError('FN_FAULT_FORBIDDEN', forbidden, { status: 403 });
			}
			if (action.kind === 'set-cause') assertEvidence(fault, action.evidence);
			if (action.kind === 'file-report' && action.attachment !== undefined) assertEvidence(fault, [action.attachment]);
			let change = added(fault, caller.account, action);
			const changes: { fault: Fault; events: readonly FaultEvent[] }[] = [];
			if (action.kind === 'merge-into') {
				const { fault: target } = await load(action.fault);
				let received = added(target, caller.account, { kind: 'received', fault: id });
				// Its outages are priced with the fault that it is part of from now on.
				const services = newServices(target, [fault.service, ...fault.affected]);
				if (services.length > 0) {
					const affected = added(received.fault, caller.account, { kind: 'affect', services });
					received = { fault: affected.fault, events: [...received.events, ...affected.events] };
				}
				changes.push(received);
			} else if (action.kind === 'link') await load(action.fault);
			if (action.kind === 'declare' || action.kind === 'set-point') {
				const earlier = await repeatOf(change.fault, profile);
				if (earlier !== null && earlier !== fault.repeatOf) {
					const repeated = added(change.fault, PRODUCT, { kind: 'repeat', of: earlier });
					change = { fault: repeated.fault, events: [...change.events, ...repeated.events] };
				}
			}
			await store.write([change, ...changes], clock.now());
			await recordOperation(caller, action.kind, id, JSON.stringify(action));
			return view({ number, fault: change.fault });
		});

	const find = async (id: string): Promise<StoredFault> => load(id);

	const note: Faults['note'] = (id, body, atMs) =>
		serial(async () => {
			const { fault } = await load(id);
			let change: ReturnType<typeof added>;
			try {
				change = added(fault, PRODUCT, body, atMs);
			} catch (error) {
				// Between the look and the note a person may have gone on; the person is right.
				if (error instanceof AppError && error.code === 'FN_FAULT_STEP') return false;
				throw error;
			}
			await store.write([change], clock.now());
			return true;
		});

	return {
		act,
		note,
		open: (request) =>
			serial(async () => {
				const known = await store.findSource(request.sourceKey);
				if (known !== null && !isOver(known.fault)) return known;
				const change = created(request, PRODUCT, options.profileOf(request.service));
				await store.write([change], clock.now());
				return find(change.fault.id);
			}),
		report: (request, caller) =>
			serial(async () => {
				const profile = options.profileOf(request.service);
				const { channel, declaredMs, ...rest } = request;
				const action = { kind: 'declare', channel, ...(declaredMs === undefined ? {} : { momentMs: declaredMs }) } as const;
				const forbidden = mayNot(caller, action, profile, config().parties);
				if (forbidden !== null) throw new AppError('FN_FAULT_FORBIDDEN', forbidden, { status: 403 });
				const nowMs = clock.now();
				const opened = created(
					{ ...rest, source: 'manual', sourceKey: `manual:${store.newId(nowMs)}`, detectedMs: declaredMs ?? nowMs },
					caller.account,
					profile,
				);
				const declared = added(opened.fault, caller.account, action);
				let change = { fault: declared.fault, events: [...opened.events, ...declared.events] };
				const earlier = await repeatOf(change.fault, profile);
				if (earlier !== null) {
					const repeated = added(change.fault, PRODUCT, { kind: 'repeat', of: earlier });
					change = { fault: repeated.fault, events: [...change.events, ...repeated.events] };
				}
				await store.write([change], nowMs);
				await recordOperation(caller, 'report', change.fault.id, JSON.stringify(request));
				return find(change.fault.id);
			}),
		split: (id, request, caller) =>
			serial(async () => {
				const { fault } = await load(id);
				const forbidden = mayNot(caller, { kind: 'take' }, options.profile(fault.profile), config().parties);
				if (forbidden !== null) throw new AppError('FN_FAULT_FORBIDDEN', forbidden, { status: 403 });
				const nowMs = clock.now();
				const source = {
					...request,
					source: 'split' as const,
					sourceKey: `split:${fault.id}:${fault.seq + 1}`,
					onsetMs: fault.moments.onset ?? nowMs,
					detectedMs: fault.moments.detected ?? nowMs,
					level: fault.level,
				};
				const part = created(source, caller.account, options.profile(fault.profile));
				await store.write([part, added(fault, caller.account, { kind: 'split-off', fault: part.fault.id })], nowMs);
				await recordOperation(caller, 'split', id, part.fault.id);
				return find(part.fault.id);
			}),
		attach: (id, name, bytes, caller) =>
			serial(async () => {
				const { number, fault } = await load(id);
				const forbidden = mayNot(caller, { kind: 'take' }, options.profile(fault.profile), config().parties);
				if (forbidden !== null) throw new AppError('FN_FAULT_FORBIDDEN', forbidden, { status: 403 });
				const body = await keepAnother(attachments, fault.attachments, { name, bytes, maxBytes: config().attachment_max_bytes });
				const change = added(fault, caller.account, body);
				await store.write([change], clock.now());
				await recordOperation(caller, 'attach', id, `${name} ${body.sha256}`);
				return view({ number, fault: change.fault });
			}),
		attachment: async (id, attachment) => {
			const { fault } = await load(id);
			const unknown = new AppError('FN_FAULT_UNKNOWN', `fault ${id} has no file "${attachment.slice(0, 64)}"`, { status: 404 });
			return readAttached(attachments, fault.attachments, { id: attachment, unknown });
		},
		affect: (id, { services = [], alert, absorbed = [] }) =>
			serial(async () => {
				let { fault: root } = await load(id);
				for (let hops = 0; root.mergedInto !== null && hops < MOST_MERGES; hops++) root = (await load(root.mergedInto)).fault;
				const changes: { fault: Fault; events: readonly FaultEvent[] }[] = [];
				let events: readonly FaultEvent[] = [];
				const note = (body: FaultNote): void => {
					const change = added(root, PRODUCT, body);
					root = change.fault;
					events = [...events, ...change.events];
				};
				const affected = newServices(root, services);
				if (affected.length > 0) note({ kind: 'affect', services: affected });
				if (alert !== undefined && !root.reminded.includes(alertMark(alert.fingerprint, alert.startsAtMs)))
					note({ kind: 'alert', ...alert });
				for (const { fault: waiting } of absorbed) {
					if (waiting.stage !== 'candidate' || waiting.owner !== '' || waiting.id === root.id || isOver(root)) continue;
					const reason = `${root.service ?? root.title} explains it`;
					changes.push(added(waiting, PRODUCT, { kind: 'merge-into', fault: root.id, reason }));
					note({ kind: 'received', fault: waiting.id });
				}
				if (events.length > 0) await store.write([{ fault: root, events }, ...changes], clock.now());
			}),
		copyAcknowledgement: async (request) => {
			const { incident, by, atMs } = request;
			let copied = 0;
			for (const id of await faultsOfIncident(store, request)) {
				const done = await serial(async () => {
					const { fault } = await load(id);
					if (fault.moments.acknowledged !== null) return false;
					try {
						const momentMs = Math.max(atMs, fault.moments.onset ?? atMs);
						await store.write([added(fault, by, { kind: 'acknowledge', incident, momentMs })], clock.now());
					} catch (error) {
						if (error instanceof AppError && error.code === 'FN_FAULT_STEP') return false;
						throw error;
					}
					return true;
				});
				if (done) copied++;
			}
			return copied;
		},
		get: async (id) => view(await load(id)),
		events: async (id) => {
			const { fault } = await load(id);
			return store.events(fault.id);
		},
		list: async (which) => (await store.list(which)).map(view),
		findSource: (sourceKey) => store.findSource(sourceKey),
		failures: async (fromMs, toMs) =>
			(await store.list({ fromMs, toMs })).flatMap(({ fault }) => (fault.stage === 'merged' ? [] : [failureOf(fault)])),
		assessed: async (profile, fromMs, toMs) =>
			(await store.list({ fromMs, toMs }))
				.filter(({ fault }) => fault.moments.declared !== null && fault.stage !== 'merged')
				.map(({ fault }) => assessedFault(fault, profile)),
	};
}

/** Those that the fault does not name yet. */
function newServices(fault: Fault, services: readonly (string | null)[]): readonly string[] {
	return [...new Set(services)].flatMap((service) =>
		service === null || service === fault.service || fault.affected.includes(service) ? [] : [service],
	);
}

function proposedLevel(profile: Profile, request: NewFault, nowMs: number): string {
	const seconds = request.gradedSeconds ?? Math.floor((nowMs - request.onsetMs) / 1000);
	const byMinutes = request.source === 'outage' ? levelByMinutes(profile, Math.max(1, seconds)) : null;
	return byMinutes ?? profile.levels.at(-1)?.id ?? '';
}

function assertEvidence(fault: Fault, ids: readonly string[]): void {
	const missing = ids.find((id) => !fault.attachments.some((entry) => entry.id === id));
	if (missing !== undefined)
		throw new AppError('FN_FAULT_UNKNOWN', `fault ${fault.id} has no file "${missing}"; attach it first`, { status: 404 });
}
