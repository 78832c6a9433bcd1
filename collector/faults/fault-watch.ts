import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type RepeatedTurn, repeatedTurn } from '../../core/repeated-turn.ts';
import { DESK_ALERT } from '../../protocol/alert.ts';
import { accidentRungs } from '../contracts/accident-rules.ts';
import type { ContractsConfig } from '../contracts/config.ts';
import { levelByMinutes } from '../contracts/fault-rules.ts';
import { spanMs } from '../contracts/limits.ts';
import type { Profile } from '../contracts/profile.ts';
import type { StoredFault } from './fault-store.ts';
import { type Faults, type FaultView, PRODUCT } from './faults.ts';
import { isOver } from './next-steps.ts';
import type { ExplainedOutage, Outage } from './outage-causes.ts';

/** An outage, or a part of one, with what it is told by; without `roots` it stands for itself, without `whole` it is all of it. */
export interface WatchedOutage extends Outage, Partial<Pick<ExplainedOutage, 'roots' | 'beside' | 'whole'>> {
	readonly name: string;
	/** What a contract that grades by minutes counts, to the end of the whole. Default: the time that has passed. */
	readonly gradedSeconds?: number;
}

export interface WatchedAlert {
	readonly fingerprint: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
	readonly receivedAtMs: number;
}

/** Somebody has to be told that a fault waits. */
export interface FaultNotice {
	readonly fault: string;
	readonly number: number;
	readonly title: string;
	readonly service: string | null;
	readonly step: string;
	readonly to: string;
	readonly dueMs: number;
	readonly kind: 'escalation' | 'reminder';
}

export interface FaultWatchOptions {
	readonly faults: Faults;
	readonly profile: (id: string) => Profile;
	readonly config: () => ContractsConfig;
	/** Outages of all services that touch the time since `fromMs`. */
	readonly outages: (fromMs: number, signal: AbortSignal) => Promise<readonly WatchedOutage[]>;
	/** Alerts that fire now and are told to people. */
	readonly alerts: () => readonly WatchedAlert[];
	/** Services that an alert with these labels is about. */
	readonly servicesOf: (labels: Readonly<Record<string, string>>) => readonly string[];
	readonly notice: (notice: FaultNotice) => Promise<void>;
	readonly clock: Clock;
	readonly log: Logger;
	readonly open: Gauge<'stage'>;
	readonly overdue: Gauge<'kind'>;
	readonly notices: Counter<'kind'>;
	readonly failures: Counter;
}

const TURN_MS = 60_000;
/** How far back outages are looked for: late data of a spool may bring one afterwards. */
const LOOK_BACK_MS = 6 * 3_600_000;
/** People are reminded this long before a deadline. */
const REMIND_MS = 5 * 60_000;
const MOST_ESCALATIONS = 5;
/** A rule may see a failure before its outage is confirmed, and is evaluated some time after its end. */
const ALERT_EDGE_MS = 60_000;
const ALERT_TAIL_MS = 5 * 60_000;

/** Looks once a minute for outages and alerts that open candidates, for levels that rise, and for deadlines. */
export class FaultWatch {
	readonly #options: FaultWatchOptions;
	readonly #turns: RepeatedTurn;

	constructor(options: FaultWatchOptions) {
		this.#options = options;
		this.#turns = repeatedTurn({
			turn: (signal) => this.turn(signal),
			everyMs: TURN_MS,
			clock: options.clock,
			failed: (error) => {
				options.failures.inc();
				options.log.error({ error: errorText(error) }, 'faults could not be looked after; the next minute tries again');
			},
		});
	}

	start(): void {
		this.#turns.start();
	}

	stop(): Promise<void> {
		return this.#turns.stop();
	}

	/** One look. */
	async turn(signal: AbortSignal = new AbortController().signal): Promise<void> {
		const { faults, clock } = this.#options;
		const outages = await this.#options.outages(clock.now() - LOOK_BACK_MS, signal);
		for (const outage of outages) if (standsForItself(outage)) await this.#openForOutage(outage, outages);
		await this.#tellByCauses(outages);
		for (const alert of this.#options.alerts()) await this.#openForAlert(alert, outages);
		const open = await faults.list('open');
		for (const view of open) await this.#lookAfter(view, outages);
		this.#count(await faults.list('open'));
	}

	async #openForOutage(outage: WatchedOutage, all: readonly WatchedOutage[]): Promise<void> {
		const { faults, clock } = this.#options;
		const { service, name, fromSeconds, whole = outage } = outage;
		if (await this.#isTold(outage, all)) return;
		// Whoever has taken the outage at its beginning has taken what remains of it.
		if (whole.fromSeconds !== fromSeconds && (await this.#isTold(whole, all))) return;
		await faults.open({
			source: 'outage',
			sourceKey: sourceKeyOf(outage),
			service,
			title: `${name} 不可用`,
			point: service,
			onsetMs: fromSeconds * 1000,
			detectedMs: clock.now(),
			...(outage.gradedSeconds === undefined ? {} : { gradedSeconds: outage.gradedSeconds }),
		});
	}

	/** One that the product itself merged was explained by another one, and has turned out to have a reason of its own. */
	async #isTold(outage: Outage, all: readonly WatchedOutage[]): Promise<boolean> {
		const known = await this.#faultOf(outage, all);
		if (known === null) return false;
		return known.fault.stage !== 'merged' || (await this.#options.faults.events(known.fault.id)).at(-1)?.actor !== PRODUCT;
	}

	/** What is down because of something below it stands in that one's fault; what failed beside it is linked. */
	async #tellByCauses(outages: readonly WatchedOutage[]): Promise<void> {
		const { faults } = this.#options;
		const told = new Map<string, { services: string[]; absorbed: StoredFault[] }>();
		for (const outage of outages) {
			const itself = standsForItself(outage);
			if (itself && (outage.beside ?? []).length === 0) continue;
			const own = await this.#faultOf(outage, outages);
			for (const root of itself ? (outage.beside ?? []) : (outage.roots ?? [])) {
				const cause = await this.#faultOf(root, outages);
				if (cause === null) continue;
				if (!itself) {
					const known = told.get(cause.fault.id) ?? { services: [], absorbed: [] };
					known.services.push(outage.service);
					if (own !== null) known.absorbed.push(own);
					told.set(cause.fault.id, known);
				} else if (own !== null && !own.fault.links.some(({ fault }) => fault === cause.fault.id))
					await faults.note(own.fault.id, { kind: 'link', fault: cause.fault.id, relation: 'related' });
			}
		}
		for (const [id, known] of told) await faults.affect(id, known);
	}

	/** The newest fault that was opened for the outage, whatever became of it. */
	async #faultOf(outage: Outage, all: readonly WatchedOutage[]): Promise<StoredFault | null> {
		const { faults, clock } = this.#options;
		const { service, fromSeconds, toSeconds } = outage;
		const opened = await faults.findSource(sourceKeyOf(outage));
		if (opened !== null) return opened;
		// Late data can move the beginning of an outage; it is still the one that somebody is working on.
		const endMs = toSeconds === null ? Number.POSITIVE_INFINITY : toSeconds * 1000;
		const beginning = all.find((one) => one.service === service && one.fromSeconds === fromSeconds)?.whole?.fromSeconds;
		const near = await faults.list({ fromMs: fromSeconds * 1000 - LOOK_BACK_MS, toMs: Math.min(endMs, clock.now()) });
		const same = near.find(({ fault }) => {
			if (fault.source !== 'outage' || fault.service !== service) return false;
			const { onset, restored } = fault.moments;
			const ofAnother = all.some(
				(other) =>
					other.service === service &&
					other.fromSeconds !== fromSeconds &&
					lastsAt(other, onset ?? 0) &&
					// Where the beginning is explained, what began inside of it is the rest, whose beginning late data can move.
					(other.fromSeconds !== beginning || onset === beginning * 1000),
			);
			return (
				onset !== null &&
				!ofAnother &&
				onset < endMs &&
				(restored === null ? fault.stage !== 'dismissed' || onset >= fromSeconds * 1000 : restored > fromSeconds * 1000)
			);
		});
		return same ?? null;
	}

	async #openForAlert(
		{ fingerprint, labels, annotations, startsAtMs, receivedAtMs }: WatchedAlert,
		outages: readonly WatchedOutage[],
	): Promise<void> {
		const { faults } = this.#options;
		const name = labels['alertname'] ?? fingerprint;
		if (DESK_ALERT.test(name) || labels['fault'] === 'false') return;
		if (labels['fault'] !== 'true' && labels['severity'] !== 'critical') return;
		const sourceKey = `alert:${fingerprint}`;
		const known = await faults.findSource(sourceKey);
		const cause = await this.#outageBehind(this.#options.servicesOf(labels), startsAtMs, outages);
		if (cause !== null) {
			const absorbed = known !== null && (known.fault.moments.onset ?? 0) >= startsAtMs ? [known] : [];
			await faults.affect(cause.fault.id, { alert: { alertname: name, fingerprint, startsAtMs }, absorbed });
			return;
		}
		// The same episode is not opened again after it was dismissed or closed; a new episode begins later.
		if (known !== null && (known.fault.moments.onset ?? 0) >= startsAtMs) return;
		if (known !== null && !isOver(known.fault)) return;
		const point = [name, labels['instance'] ?? labels['host'] ?? ''].filter((part) => part !== '').join(' ');
		const title = annotations['summary'] ?? name;
		await faults.open({
			source: 'alert',
			sourceKey,
			service: labels['service'] ?? null,
			title: title.slice(0, 500),
			point,
			onsetMs: startsAtMs,
			detectedMs: receivedAtMs,
		});
	}

	/** The fault of an outage of one of the services that an alert may be about: it began no sooner, and soon after the end at most. */
	async #outageBehind(services: readonly string[], startsAtMs: number, outages: readonly WatchedOutage[]): Promise<StoredFault | null> {
		for (const outage of outages) {
			const { service, fromSeconds, toSeconds } = outage;
			if (!services.includes(service) || startsAtMs < fromSeconds * 1000 - ALERT_EDGE_MS) continue;
			// What remains of an outage has a fault of its own.
			const tailMs = (outage.whole ?? outage).toSeconds === toSeconds ? ALERT_TAIL_MS : 0;
			if (toSeconds !== null && startsAtMs > toSeconds * 1000 + tailMs) continue;
			for (const root of standsForItself(outage) ? [outage] : (outage.roots ?? [])) {
				const fault = await this.#faultOf(root, outages);
				if (fault !== null) return fault;
			}
		}
		return null;
	}

	async #lookAfter(view: FaultView, outages: readonly WatchedOutage[]): Promise<void> {
		const { faults, clock } = this.#options;
		const { fault } = view;
		const profile = this.#options.profile(fault.profile);
		const nowMs = clock.now();
		if (fault.source === 'outage') {
			const onset = (fault.moments.onset ?? nowMs) / 1000;
			const outage = outages.find(
				({ service, fromSeconds, toSeconds }) => service === fault.service && fromSeconds <= onset && (toSeconds ?? onset + 1) > onset,
			);
			const endSeconds = (outage?.whole ?? outage)?.toSeconds ?? null;
			if (endSeconds !== null && fault.stage === 'declared') await faults.note(fault.id, { kind: 'restore', momentMs: endSeconds * 1000 });
			if (fault.levelState !== 'confirmed' && outage !== undefined) {
				const downSeconds = outage.gradedSeconds ?? (endSeconds ?? Math.floor(nowMs / 1000)) - outage.fromSeconds;
				const level = levelByMinutes(profile, downSeconds);
				if (level !== null && isHigher(profile, level, fault.level)) await faults.note(fault.id, { kind: 'rise', level, downSeconds });
			}
		}
		if (fault.stage === 'candidate') await this.#escalate(view, profile, nowMs);
		else await this.#remind(view, nowMs);
		if (fault.moments.resolved === null) await this.#climb(view, profile, nowMs);
	}

	/** Where nobody is named for a contract there is none: what would count under it is listed, and calls nobody. */
	#hasContract(): boolean {
		const { escalate_to: people, parties } = this.#options.config();
		return people.length > 0 || Object.values(parties).some((accounts) => accounts.length > 0);
	}

	async #escalate({ number, fault }: FaultView, profile: Profile, nowMs: number): Promise<void> {
		if (!this.#hasContract()) return;
		const everyMs = spanMs(profile.candidate.escalate_after);
		const dueMs = (fault.moments.detected ?? nowMs) + (fault.escalations + 1) * everyMs;
		if (fault.escalations >= MOST_ESCALATIONS || nowMs < dueMs) return;
		const { escalate_to: people } = this.#options.config();
		const to = people[Math.min(fault.escalations, people.length - 1)] ?? 'on-call';
		const step = `escalation-${fault.escalations + 1}`;
		if (!(await this.#options.faults.note(fault.id, { kind: 'escalate', to, step }))) return;
		await this.#tell({
			fault: fault.id,
			number,
			title: fault.title,
			service: fault.service,
			step: 'declare-or-dismiss',
			to,
			dueMs,
			kind: 'escalation',
		});
	}

	/** A quality accident that is not resolved goes up the contract's ladder, one rung after the other. */
	async #climb({ number, fault }: FaultView, profile: Profile, nowMs: number): Promise<void> {
		const people = this.#options.config().accident_ladder;
		for (const [i, dueMs] of accidentRungs(profile, fault).entries()) {
			const step = `accident-rung-${i + 1}`;
			if (nowMs < dueMs || fault.reminded.includes(step)) continue;
			const to = people[Math.min(i, people.length - 1)] ?? 'on-call';
			if (!(await this.#options.faults.note(fault.id, { kind: 'escalate', to, step }))) continue;
			const { id, title, service } = fault;
			await this.#tell({ fault: id, number, title, service, step, to, dueMs, kind: 'reminder' });
		}
	}

	async #remind({ number, fault, steps }: FaultView, nowMs: number): Promise<void> {
		for (const { step, by, dueMs } of steps) {
			if (dueMs === null || nowMs < dueMs - REMIND_MS || fault.reminded.includes(`${step}@${dueMs}`)) continue;
			if (!(await this.#options.faults.note(fault.id, { kind: 'remind', what: step, dueMs }))) continue;
			await this.#tell({ fault: fault.id, number, title: fault.title, service: fault.service, step, to: by, dueMs, kind: 'reminder' });
		}
	}

	async #tell(notice: FaultNotice): Promise<void> {
		this.#options.notices.inc({ kind: notice.kind });
		await this.#options.notice(notice);
	}

	#count(open: readonly FaultView[]): void {
		const { open: gauge, overdue, clock } = this.#options;
		gauge.reset();
		for (const stage of ['candidate', 'declared', 'restored', 'resolved']) {
			gauge.set({ stage }, open.filter(({ fault }) => fault.stage === stage).length);
		}
		const nowMs = clock.now();
		const late = (views: readonly FaultView[]): number =>
			views.reduce((sum, { steps }) => sum + steps.filter(({ dueMs }) => dueMs !== null && dueMs < nowMs).length, 0);
		overdue.set({ kind: 'candidate' }, this.#hasContract() ? late(open.filter(({ fault }) => fault.stage === 'candidate')) : 0);
		overdue.set({ kind: 'fault' }, late(open.filter(({ fault }) => fault.stage !== 'candidate')));
	}
}

function sourceKeyOf({ service, fromSeconds }: Outage): string {
	return `outage:${service}:${fromSeconds}`;
}

function lastsAt({ fromSeconds, toSeconds }: Outage, timeMs: number): boolean {
	return fromSeconds * 1000 <= timeMs && (toSeconds === null || timeMs < toSeconds * 1000);
}

function standsForItself({ service, roots = [] }: WatchedOutage): boolean {
	return roots.length === 0 || roots.some((root) => root.service === service);
}

/** Levels stand in the profile from the gravest on. */
function isHigher(profile: Profile, level: string, than: string): boolean {
	const rank = (id: string): number => profile.levels.findIndex((entry) => entry.id === id);
	return rank(level) < rank(than);
}
