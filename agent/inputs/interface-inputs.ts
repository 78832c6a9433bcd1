import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Logger } from '../../core/log.ts';
import { DEFAULT_ZONE } from '../../core/schedule.ts';
import { resolveSecret, type Secret, type SecretRef } from '../../core/secret.ts';
import { readCaFile } from '../ca-file.ts';
import type { AgentConfig } from '../config.ts';
import { createBackupInput } from './backups/input.ts';
import { createExecInput } from './exec/input.ts';
import type { Input } from './input.ts';
import { createJobsInput } from './jobs/input.ts';
import type { JobDesk } from './jobs/job-desk.ts';
import { createJourneyInput } from './journey/input.ts';
import { checkFromConfig, expectFromConfig, requestFromConfig, resolveFromConfig, tlsFromConfig } from './probe/from-config.ts';
import { HttpReader } from './probe/http-read.ts';
import { createProbeInput } from './probe/input.ts';
import { createPushInput } from './push/input.ts';
import type { PushSource } from './push/push-state.ts';
import { fileSource, httpSource, logSource, sqlSource } from './push/sources.ts';
import { type CountEnd, httpEnd, sqlEnd } from './reconcile/ends.ts';
import { createReconcileInput } from './reconcile/input.ts';
import { scheduleOf } from './schedule-config.ts';
import { createScrapeInput } from './scrape/input.ts';
import { serviceInstance } from './service-address.ts';
import { addressOfUrl } from './service-http.ts';
import { createSqlInput } from './sql/input.ts';
import { sqlServer } from './sql/server-schema.ts';
import { createTextfileInput } from './textfile/input.ts';

export interface InterfaceDependencies {
	readonly hostName: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly userAgent: string;
	/** Where reports of scheduled tasks arrive; without it there are none. */
	readonly jobDesk?: JobDesk | null;
}

type Inputs = AgentConfig['inputs'];
type Labels = Readonly<Record<string, string>>;

/** What the makers below share. */
interface Context {
	readonly deps: InterfaceDependencies;
	/** `system` and `zone`. */
	readonly place: Labels;
	/** Reads a secret at each use, so that its file can be replaced without a restart. */
	readonly secret: (ref: SecretRef | undefined) => () => Secret | null;
	readonly timing: (entry: { readonly interval?: string; readonly timeout: string }) => {
		readonly intervalMs: number;
		readonly timeoutMs: number;
	};
	/** Labels of something that is measured on this host. */
	readonly onHost: (job: string, more: Labels, labels: Labels) => Labels;
}

/** The inputs of `interfaceInputProperties`, part of the registry's explicit list. */
export function createInterfaceInputs(config: AgentConfig, deps: InterfaceDependencies): readonly Input[] {
	const { inputs } = config;
	const place = { system: config.host.system, zone: config.host.zone };
	const context: Context = {
		deps,
		place,
		secret: (ref) => (ref === undefined ? () => null : () => resolveSecret(ref, deps.env)),
		timing: (entry) => ({ intervalMs: parseDuration(entry.interval ?? config.interval), timeoutMs: parseDuration(entry.timeout) }),
		onHost: (job, more, labels) => ({ job, instance: deps.hostName, host: deps.hostName, ...place, ...more, ...labels }),
	};
	return [
		...inputs.probes.map((entry) => probe(entry, context)),
		...inputs.journeys.map((entry) => journey(entry, context)),
		...inputs.push.map((entry) => push(entry, context)),
		...inputs.reconcile.map((entry) => reconcile(entry, context)),
		...inputs.sql.map((entry) => sql(entry, context)),
		...jobs(inputs.jobs, config.interval, context),
		...inputs.backups.map((entry) => backup(entry, context)),
		...inputs.exec.map((entry) => exec(entry, context)),
		...inputs.textfile.map((entry) => textfile(entry, context)),
		...inputs.scrape.map((entry) => scrape(entry, context)),
	];
}

const durationOrNull = (text: string | undefined): number | null => (text === undefined ? null : parseDuration(text));

function probe(entry: Inputs['probes'][number], { deps, place, secret, timing }: Context): Input {
	return createProbeInput({
		// No label `host`: the target may be anywhere, and `vantage` says from where it was seen.
		target: { job: 'probe', instance: entry.target, check: entry.id, vantage: deps.hostName, ...place, ...entry.labels },
		...timing(entry),
		check: checkFromConfig(entry, secret, deps.userAgent),
		degradedAfterMs: durationOrNull(entry.degraded_after),
		clock: deps.clock,
		log: deps.log,
	});
}

function journey(entry: Inputs['journeys'][number], { deps, place, secret, timing }: Context): Input {
	return createJourneyInput({
		target: { job: 'probe', instance: entry.base, check: entry.id, journey: entry.id, vantage: deps.hostName, ...place, ...entry.labels },
		...timing(entry),
		base: entry.base,
		steps: entry.steps,
		variables: entry.variables,
		secrets: Object.fromEntries(Object.entries(entry.secrets).map(([name, ref]) => [name, secret(ref)])),
		maxBodyBytes: entry.max_body,
		tls: tlsFromConfig(entry),
		resolve: resolveFromConfig(entry),
		userAgent: deps.userAgent,
		degradedAfterMs: durationOrNull(entry.degraded_after),
		clock: deps.clock,
		log: deps.log,
	});
}

type HttpSource = Omit<NonNullable<Inputs['push'][number]['http']>, 'fields'>;

function reader(http: HttpSource, timeoutMs: number, { deps, secret }: Context): HttpReader {
	return new HttpReader({
		url: http.url,
		request: requestFromConfig(http.request, {
			tls: tlsFromConfig(http),
			resolve: resolveFromConfig(http),
			secret,
			userAgent: deps.userAgent,
		}),
		expect: expectFromConfig(http.expect),
		timeoutMs,
		clock: deps.clock,
	});
}

function push(entry: Inputs['push'][number], context: Context): Input {
	const timing = context.timing(entry);
	return createPushInput({
		target: context.onHost('interface', { interface: entry.id, peer: entry.peer }, entry.labels),
		...timing,
		source: pushSource(entry, timing.timeoutMs, context),
		schedule: scheduleOf(entry.schedule),
		graceMs: parseDuration(entry.grace),
		earlyMs: parseDuration(entry.early),
	});
}

function pushSource(entry: Inputs['push'][number], timeoutMs: number, context: Context): PushSource {
	const zone = entry.schedule.zone ?? DEFAULT_ZONE;
	if (entry.sql !== undefined) return sqlSource({ server: sqlServer(entry.sql, context.secret), query: entry.sql.query, zone, timeoutMs });
	if (entry.http !== undefined) return httpSource({ reader: reader(entry.http, timeoutMs, context), fields: entry.http.fields, zone });
	if (entry.log !== undefined) {
		const { path, success, failure, tail_bytes: tailBytes, encoding } = entry.log;
		return logSource({ path, success, failure: failure ?? null, tailBytes, encoding, zone });
	}
	const { directory = '', pattern = '*', min_bytes: minBytes = 1 } = entry.file ?? {};
	return fileSource({ directory, pattern, minBytes });
}

function reconcile(entry: Inputs['reconcile'][number], context: Context): Input {
	const timing = context.timing(entry);
	const end = ({ sql: database, http }: Inputs['reconcile'][number]['source']): CountEnd => {
		if (http !== undefined) return httpEnd({ reader: reader(http, timing.timeoutMs, context), dates: http.dates, counts: http.counts });
		const { address = '', username = '', query = '', ...more } = database ?? { database: '' };
		return sqlEnd({ server: sqlServer({ ...more, address, username }, context.secret), query, timeoutMs: timing.timeoutMs });
	};
	return createReconcileInput({
		target: context.onHost('interface', { interface: entry.id, peer: entry.peer }, entry.labels),
		...timing,
		ends: { source: end(entry.source), target: end(entry.target) },
		dates: entry.dates,
		zone: entry.zone,
		cutOff: { time: entry.cut_off.time, daysLater: entry.cut_off.days_later },
	});
}

function sql(entry: Inputs['sql'][number], { deps, secret, timing, onHost }: Context): Input {
	return createSqlInput({
		target: onHost('sql', { instance: entry.instance ?? serviceInstance(entry.address, 3306) }, entry.labels),
		...timing(entry),
		server: sqlServer(entry, secret),
		queries: entry.queries,
		clock: deps.clock,
		log: deps.log,
	});
}

function jobs(entry: Inputs['jobs'], interval: string, { deps, onHost }: Context): readonly Input[] {
	const desk = deps.jobDesk ?? null;
	if (desk === null || entry === undefined) return [];
	return [
		createJobsInput({
			target: onHost('job', {}, entry.labels),
			intervalMs: parseDuration(entry.interval ?? interval),
			desk,
			clock: deps.clock,
		}),
	];
}

function backup(entry: Inputs['backups'][number], { deps, timing, onHost }: Context): Input {
	return createBackupInput({
		target: onHost('backup', { backup: entry.id }, entry.labels),
		...timing(entry),
		directory: entry.directory,
		pattern: entry.pattern,
		schedule: scheduleOf(entry.schedule),
		graceMs: parseDuration(entry.grace),
		earlyMs: parseDuration(entry.early),
		minBytes: entry.min_bytes,
		history: entry.history,
		settleMs: parseDuration(entry.settle),
		checksum: entry.checksum,
		archive: entry.archive === 'auto' ? null : entry.archive,
		expectTail: entry.expect_tail ?? null,
		bytesPerSecond: entry.read_bytes_per_second,
		clock: deps.clock,
		log: deps.log,
	});
}

function exec(entry: Inputs['exec'][number], { deps, timing, onHost }: Context): Input {
	return createExecInput({
		target: onHost('exec', { exec: entry.id }, entry.labels),
		...timing(entry),
		command: entry.command,
		format: entry.format,
		maxOutputBytes: entry.max_output,
		workingDirectory: entry.working_directory ?? null,
		environment: entry.environment,
		clock: deps.clock,
		log: deps.log,
	});
}

function textfile(entry: Inputs['textfile'][number], { deps, timing, onHost }: Context): Input {
	return createTextfileInput({
		target: onHost('node', {}, entry.labels),
		...timing(entry),
		directory: entry.directory,
		maxBytes: entry.max_bytes,
		maxFiles: entry.max_files,
		log: deps.log,
	});
}

function scrape(entry: Inputs['scrape'][number], { deps, secret, timing, onHost }: Context): Input {
	return createScrapeInput({
		target: onHost(entry.job, { instance: entry.instance ?? addressOfUrl(entry.url) }, entry.labels),
		...timing(entry),
		url: entry.url,
		username: entry.username ?? null,
		password: secret(entry.password),
		bearer: secret(entry.bearer),
		ca: entry.ca_file === undefined ? null : readCaFile(entry.ca_file),
		keep: entry.keep ?? null,
		drop: entry.drop ?? null,
		maxSamples: entry.max_samples,
		maxBodyBytes: entry.max_body,
		userAgent: deps.userAgent,
		clock: deps.clock,
	});
}
