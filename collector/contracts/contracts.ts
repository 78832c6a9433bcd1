import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Role } from '../../protocol/api.ts';
import type { AdjustmentAnswer, ContractStandingAnswer, ContractTermAnswer } from '../../protocol/contract-api.ts';
import type { OperationLog } from '../identity/operation-log.ts';
import type { StateDatabase } from '../state/database.ts';
import { type Assessment, assess } from './assess.ts';
import type { AssessedFault, AssessedProblem, AssessedRecord, AssessedService } from './assessed.ts';
import type { ContractsConfig } from './config.ts';
import type { ClockRules } from './limits.ts';
import { type Period, periodAt, periodOf } from './period.ts';
import { PARTIES, type Party, type Profile } from './profile.ts';
import type { ContractProfile } from './profile-files.ts';
import { type Dispute, FINE_KEY, type ThreeScores, threeScores } from './scores.ts';
import { type PeriodStanding, periodsSoFar, terminationStandings, yearStandings } from './standing.ts';
import { termAnswer, withTerm } from './term.ts';

export interface ContractCaller {
	readonly name: string;
	readonly role: Role;
	readonly address: string;
}

/** A period priced under a profile, with what people said about it. */
export interface AssessedPeriod {
	readonly assessment: Assessment;
	readonly scores: ThreeScores;
	readonly records: readonly (AssessedRecord & { readonly by: string; readonly evidence: string })[];
	readonly adjustments: readonly AdjustmentAnswer[];
	readonly disputes: readonly Dispute[];
}

export type RecordRequest = {
	readonly rule: string;
	readonly quantity: number;
	readonly atMs: number;
	readonly note: string;
	readonly evidence: string;
};

export interface Contracts {
	list(): readonly ContractProfile[];
	/** The profile with the configured answers, and with `answers` over them. Throws `FN_CONTRACT_UNKNOWN` (404), `FN_CONTRACT_SETTING`. */
	profile(id: string, answers?: Readonly<Record<string, string>>): Profile;
	/** Throws `FN_CONTRACT_PERIOD`, `FN_CONTRACT_TERM` (409) for time outside of the contract. `period` `now` is the one that runs. */
	assess(id: string, period: string, answers?: Readonly<Record<string, string>>): Promise<AssessedPeriod>;
	/** When the contract runs, and whether it does now. */
	term(id: string): ContractTermAnswer;
	/** All periods so far, the means of the years, and how near termination is. */
	standing(id: string): Promise<ContractStandingAnswer>;
	/** A lapse or a bonus. Throws `FN_CONTRACT_ENTRY`. Answers its id. */
	record(id: string, request: RecordRequest, caller: ContractCaller): Promise<string>;
	/** The record stays in the history and counts no more. */
	withdraw(id: string, period: string, record: string, reason: string, caller: ContractCaller): Promise<void>;
	/** What the client makes of an item. For accounts of the client. */
	adjust(
		id: string,
		period: string,
		request: Pick<AdjustmentAnswer, 'key' | 'centipoints' | 'clause' | 'note'>,
		caller: ContractCaller,
	): Promise<void>;
	/** Contests an item with evidence. Answers the dispute's id. */
	dispute(
		id: string,
		period: string,
		request: { readonly key: string; readonly evidence: string },
		caller: ContractCaller,
	): Promise<string>;
	/** For accounts of the party that decides disputes. Both figures stay. */
	decide(
		id: string,
		period: string,
		request: { readonly dispute: string; readonly centipoints: number; readonly reason: string },
		caller: ContractCaller,
	): Promise<void>;
}

export interface ContractsOptions {
	readonly state: StateDatabase;
	/** Read when they are first asked for. */
	readonly profiles: () => readonly ContractProfile[];
	readonly config: () => ContractsConfig;
	/** Faults whose onset lies in the range, as the profile sees them. */
	readonly faults: (profile: Profile, fromMs: number, toMs: number) => Promise<readonly AssessedFault[]>;
	/** Users' problems that were received in the range and belong to the profile. */
	readonly problems: (profile: Profile, fromMs: number, toMs: number) => Promise<readonly AssessedProblem[]>;
	/** Services that the profile prices, over the part of the period that has passed. */
	readonly services: (profile: Profile, period: Period, faults: readonly AssessedFault[]) => Promise<readonly AssessedService[]>;
	readonly clockRules: () => ClockRules;
	readonly operations: OperationLog;
	readonly clock: Clock;
}

/** How far back faults are read: a repeat may be a year old, and a fault may be declared long after its onset. */
const LOOK_BACK_MS = 400 * 86_400_000;

interface StoredEvent {
	readonly id: string;
	readonly atMs: number;
	readonly actor: string;
	readonly kind: string;
	readonly body: Record<string, unknown>;
}

export function createContracts(options: ContractsOptions): Contracts {
	const { state, profiles, config, clock, operations } = options;

	const profile: Contracts['profile'] = (id, answers = {}) => {
		const found = profiles().find((candidate) => candidate.id === id);
		if (found === undefined) {
			throw new AppError(
				'FN_CONTRACT_UNKNOWN',
				`there is no contract profile "${id.slice(0, 64)}"; known: ${profiles()
					.map((known) => known.id)
					.join(', ')}`,
				{
					status: 404,
				},
			);
		}
		return withTerm(found.with({ ...config().settings[id], ...answers }), config().terms[id]);
	};
	const periodNamed = (chosen: Profile, name: string): Period => (name === 'now' ? periodAt(chosen, clock.now()) : periodOf(chosen, name));

	const events = async (id: string, period: string): Promise<readonly StoredEvent[]> => {
		const rows = await state
			.selectFrom('contract_event')
			.selectAll()
			.where('profile', '=', id)
			.where('period', '=', period)
			.orderBy('at_ms')
			.orderBy('id')
			.execute();
		return rows.map((row) => ({
			id: row.id,
			atMs: row.at_ms,
			actor: row.actor,
			kind: row.kind,
			body: JSON.parse(row.body) as Record<string, unknown>,
		}));
	};
	const append = async (id: string, period: string, kind: string, body: object, caller: ContractCaller): Promise<string> => {
		const atMs = clock.now();
		const eventId = uuidv7(atMs);
		await state
			.insertInto('contract_event')
			.values({ id: eventId, profile: id, period, at_ms: atMs, actor: caller.name.slice(0, 64), kind, body: JSON.stringify(body) })
			.execute();
		const detail = JSON.stringify(body);
		await operations.record({
			actor: caller.name,
			action: `contract.${kind}`,
			object: `${id} ${period}`,
			result: 'success',
			srcAddr: caller.address,
			detail,
		});
		return eventId;
	};
	const assertParty = (party: Party, caller: ContractCaller, what: string): void => {
		if (config().parties[party].includes(caller.name)) return;
		throw new AppError('FN_CONTRACT_FORBIDDEN', `${what} is for accounts of the ${party}; name them under contracts.parties.${party}`, {
			status: 403,
		});
	};

	/** Those who run the service, and the parties of the contract; nobody else enters anything. */
	const assertTakesPart = (caller: ContractCaller): void => {
		if (caller.role === 'operator' || caller.role === 'system') return;
		if (PARTIES.some((party) => config().parties[party].includes(caller.name))) return;
		throw new AppError('FN_CONTRACT_FORBIDDEN', `"${caller.name}" speaks for no party; name it under contracts.parties`, { status: 403 });
	};

	const priced = async (chosen: Profile, period: Period) => {
		const { id } = chosen;
		const faults = await options.faults(chosen, period.fromMs - LOOK_BACK_MS, period.toMs);
		const stored = await events(id, period.id);
		const withdrawn = new Set(stored.filter(({ kind }) => kind === 'withdraw').map(({ body }) => String(body['record'])));
		const records = stored
			.filter((event) => event.kind === 'record' && !withdrawn.has(event.id))
			.map((event) => ({ ...(event.body as unknown as RecordRequest), id: event.id, by: event.actor }));
		const services = await options.services(chosen, period, faults);
		const problems = await options.problems(chosen, period.fromMs, period.toMs);
		const assessment = assess(chosen, period, { faults, services, records, problems, nowMs: clock.now() }, options.clockRules());
		const adjustments = stored
			.filter(({ kind }) => kind === 'adjust')
			.map((event) => ({ ...(event.body as unknown as AdjustmentAnswer), atMs: event.atMs, by: event.actor }));
		const disputes = disputesOf(stored);
		return {
			services,
			assessed: { assessment, scores: threeScores(chosen, assessment, adjustments, disputes), records, adjustments, disputes },
		};
	};
	const assessPeriod: Contracts['assess'] = async (id, periodName, answers) => {
		const chosen = profile(id, answers);
		return (await priced(chosen, periodNamed(chosen, periodName))).assessed;
	};

	return {
		list: profiles,
		profile,
		assess: assessPeriod,
		term: (id) => termAnswer(profile(id), clock.now()),
		standing: async (id) => {
			const chosen = profile(id);
			const nowMs = clock.now();
			const standings: PeriodStanding[] = [];
			for (const period of periodsSoFar(chosen, nowMs)) {
				const { services, assessed } = await priced(chosen, period);
				const { self, client, final } = assessed.scores;
				standings.push({
					period,
					over: period.toMs <= nowMs,
					self: self.centipoints,
					client: client.centipoints,
					final: final.centipoints,
					fen: final.fen,
					recorded: recordedUnits(assessed.records),
					services,
				});
			}
			return {
				term: termAnswer(chosen, nowMs),
				periods: standings.map(({ services: _services, recorded: _recorded, ...shown }) => shown),
				years: yearStandings(chosen, standings),
				termination: terminationStandings(chosen, standings),
			};
		},
		record: async (id, request, caller) => {
			assertTakesPart(caller);
			const chosen = profile(id);
			if (!chosen.rules.some((rule) => rule.id === request.rule && rule.kind === 'record')) {
				const known = chosen.rules.filter(({ kind }) => kind === 'record').map((rule) => rule.id);
				throw new AppError('FN_CONTRACT_ENTRY', `${id} has no rule "${request.rule}" that is entered by hand; known: ${known.join(', ')}`, {
					status: 400,
				});
			}
			if (request.atMs > clock.now()) throw new AppError('FN_CONTRACT_ENTRY', 'a record cannot lie in the future', { status: 400 });
			return append(id, periodAt(chosen, request.atMs).id, 'record', request, caller);
		},
		withdraw: async (id, periodName, record, reason, caller) => {
			assertTakesPart(caller);
			const period = periodNamed(profile(id), periodName);
			const stored = await events(id, period.id);
			if (!stored.some((event) => event.kind === 'record' && event.id === record)) throw unknownEntry(`record "${record}"`);
			await append(id, period.id, 'withdraw', { record, reason }, caller);
		},
		adjust: async (id, periodName, request, caller) => {
			assertParty('client', caller, 'adjusting a score');
			if (request.key === FINE_KEY && profile(id).payment.lapse === undefined)
				throw new AppError('FN_CONTRACT_ENTRY', `${id} does not let a fine lapse`, { status: 400 });
			await append(id, periodNamed(profile(id), periodName).id, 'adjust', request, caller);
		},
		dispute: async (id, periodName, request, caller) => {
			assertTakesPart(caller);
			const { assessment, adjustments } = await assessPeriod(id, periodName);
			const known = assessment.items.some(({ key }) => key === request.key) || adjustments.some(({ key }) => key === request.key);
			if (!known) throw unknownEntry(`item "${request.key}"`);
			return append(id, assessment.period.id, 'dispute', request, caller);
		},
		decide: async (id, periodName, request, caller) => {
			assertParty(config().disputes_decided_by, caller, 'deciding a dispute');
			const period = periodNamed(profile(id), periodName);
			const dispute = disputesOf(await events(id, period.id)).find((entry) => entry.id === request.dispute);
			if (dispute === undefined) throw unknownEntry(`dispute "${request.dispute}"`);
			if (dispute.decision !== null)
				throw new AppError('FN_CONTRACT_ENTRY', 'this dispute was decided already; open another one', { status: 409 });
			if (dispute.openedBy === caller.name) {
				throw new AppError('FN_CONTRACT_FORBIDDEN', 'whoever contests an item does not decide about it', { status: 403 });
			}
			await append(id, period.id, 'decide', request, caller);
		},
	};
}

function recordedUnits(records: readonly AssessedRecord[]): Readonly<Record<string, number>> {
	const groups = Map.groupBy(records, ({ rule }) => rule);
	return Object.fromEntries([...groups].map(([rule, list]) => [rule, list.reduce((sum, { quantity }) => sum + quantity, 0)]));
}

function disputesOf(stored: readonly StoredEvent[]): readonly Dispute[] {
	return stored
		.filter(({ kind }) => kind === 'dispute')
		.map((event) => {
			const decision = stored.find(({ kind, body }) => kind === 'decide' && body['dispute'] === event.id);
			return {
				id: event.id,
				key: String(event.body['key']),
				evidence: String(event.body['evidence']),
				openedBy: event.actor,
				openedMs: event.atMs,
				decision:
					decision === undefined
						? null
						: {
								centipoints: Number(decision.body['centipoints']),
								reason: String(decision.body['reason']),
								by: decision.actor,
								atMs: decision.atMs,
							},
			};
		});
}

function unknownEntry(what: string): AppError {
	return new AppError('FN_CONTRACT_ENTRY', `there is no ${what} in this period`, { status: 404 });
}
