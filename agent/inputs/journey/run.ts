import { errorText } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { compileRegex } from '../bounded-regex.ts';
import { jsonText, parseJsonPath, valuesAt } from '../json-path.ts';
import { type Answer, type AnswerConditions, compileConditions, parseJson } from '../probe/answer-conditions.ts';
import type { TlsSettings } from '../probe/connection.ts';
import { Deadline } from '../probe/deadline.ts';
import { type FailureReason, ProbeFailure, toFailure } from '../probe/failure.ts';
import { expectFromConfig } from '../probe/from-config.ts';
import { emptyMeasurement, type HttpMeasurement, httpProbe } from '../probe/http-probe.ts';
import type { ResolveOptions } from '../probe/resolve.ts';
import type { JourneyStep } from './config.ts';
import { CookieJar } from './cookies.ts';

export interface JourneyOptions {
	readonly base: string;
	readonly steps: readonly JourneyStep[];
	readonly variables: Readonly<Record<string, string>>;
	readonly secrets: Readonly<Record<string, () => Secret | null>>;
	readonly timeoutMs: number;
	readonly maxBodyBytes: number;
	readonly tls: TlsSettings;
	readonly resolve: ResolveOptions;
	readonly userAgent: string;
	readonly monotonic: () => number;
	readonly now: () => number;
}

export interface StepOutcome {
	readonly name: string;
	readonly success: boolean;
	readonly seconds: number;
	readonly status: number;
}

export interface JourneyOutcome {
	/** Steps that were tried, in order; those behind a failed one are missing. */
	readonly steps: readonly StepOutcome[];
	readonly seconds: number;
	readonly failure: { readonly step: string; readonly reason: FailureReason; readonly message: string } | null;
	/** Of the last TLS connection. */
	readonly tls: HttpMeasurement['tls'];
}

/** A redirect may go around; cookies are set on the way, so each hop is a request of its own. */
const FINAL_STEPS_MS = 10_000;

/**
 * Runs the steps in order until one fails, then those that always run. Everything starts fresh: cookies, variables, connections.
 * Steps that always run do not count as the journey's time, but their failure fails it.
 */
export async function runJourney(options: JourneyOptions, signal: AbortSignal): Promise<JourneyOutcome> {
	const visit = new Visit(options);
	const steps: StepOutcome[] = [];
	let failure: JourneyOutcome['failure'] = null;
	const started = options.monotonic();
	const run = async (list: readonly JourneyStep[], timeoutMs: number) => {
		const deadline = new Deadline(timeoutMs, signal);
		try {
			for (const step of list) {
				const from = options.monotonic();
				let stepFailure: ProbeFailure | null = null;
				visit.status = 0;
				try {
					await visit.step(step, deadline);
				} catch (error) {
					stepFailure = toFailure(error);
				}
				steps.push({ name: step.name, success: stepFailure === null, seconds: (options.monotonic() - from) / 1000, status: visit.status });
				if (stepFailure === null) continue;
				failure ??= { step: step.name, reason: stepFailure.reason, message: errorText(stepFailure) };
				if (!step.always) return;
			}
		} finally {
			deadline.end();
		}
	};
	await run(
		options.steps.filter((step) => !step.always),
		options.timeoutMs,
	);
	const seconds = (options.monotonic() - started) / 1000;
	// Where nothing was ever answered there is no session to end.
	const last = options.steps.filter((step) => step.always);
	if (last.length > 0 && visit.answered && !signal.aborted) await run(last, Math.min(FINAL_STEPS_MS, options.timeoutMs));
	return { steps, seconds, failure, tls: visit.tls };
}

/** What one run carries from step to step. */
class Visit {
	answered = false;
	status = 0;
	tls: HttpMeasurement['tls'] = null;
	readonly #options: JourneyOptions;
	readonly #jar = new CookieJar();
	readonly #variables: Map<string, string>;
	readonly #conditions = new Map<JourneyStep, AnswerConditions>();

	constructor(options: JourneyOptions) {
		this.#options = options;
		this.#variables = new Map(Object.entries(options.variables));
	}

	async step(step: JourneyStep, deadline: Deadline): Promise<void> {
		let conditions = this.#conditions.get(step);
		if (conditions === undefined) {
			conditions = await compileConditions(expectFromConfig(step.expect));
			this.#conditions.set(step, conditions);
		}
		const answer = await this.#follow(step, deadline);
		conditions.check(answer);
		for (const rule of step.extract) this.#variables.set(rule.name, await extract(rule, answer));
	}

	async #follow(step: JourneyStep, deadline: Deadline): Promise<Answer> {
		let url = this.#address(this.#fill(step.url, encodeURIComponent));
		let method = step.form !== undefined && step.method === 'GET' ? 'POST' : step.method;
		let body = this.#body(step);
		const origin = url.origin;
		for (let hops = 0; ; hops++) {
			const headers: Record<string, string> = { 'user-agent': this.#options.userAgent, accept: '*/*' };
			for (const [name, value] of Object.entries(step.headers)) {
				// What a step sends to one host is not shown to another.
				if (url.origin === origin) headers[name.toLowerCase()] = headerValue(this.#fill(value, (text) => text));
			}
			if (body !== null && headers['content-type'] === undefined && step.form !== undefined)
				headers['content-type'] = 'application/x-www-form-urlencoded';
			const cookie = this.#jar.header(url);
			if (cookie !== '') headers['cookie'] = cookie;
			const answer = await this.#exchange(url, { method, headers, body }, deadline);
			const location = answer.headers['location'];
			if (![301, 302, 303, 307, 308].includes(answer.status) || typeof location !== 'string' || step.redirects === 0) return answer;
			if (hops >= step.redirects) throw new ProbeFailure('redirect', `more than ${step.redirects} redirects`);
			url = this.#address(location, url);
			if (answer.status === 303 || (answer.status < 303 && method === 'POST')) {
				method = 'GET';
				body = null;
			}
			// A form with a password that is passed on to somebody else is not what the step says.
			if (body !== null && url.origin !== origin) throw new ProbeFailure('redirect', `the redirect would send the form to ${url.origin}`);
		}
	}

	async #exchange(
		url: URL,
		request: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body: string | null },
		deadline: Deadline,
	): Promise<Answer> {
		const { maxBodyBytes, tls, resolve, monotonic, now } = this.#options;
		const measured = emptyMeasurement();
		try {
			const answer = await httpProbe(
				url.href,
				{ ...request, secretHeaders: {}, redirects: 0, proxy: null, maxBodyBytes, tls, resolve },
				measured,
				{ deadline, monotonic },
			);
			const cookies = answer.headers['set-cookie'];
			this.#jar.take(Array.isArray(cookies) ? cookies : typeof cookies === 'string' ? [cookies] : [], url, now());
			return answer;
		} finally {
			this.status = measured.status;
			if (measured.status !== 0) this.answered = true;
			if (measured.tls !== null) this.tls = measured.tls;
		}
	}

	#body(step: JourneyStep): string | null {
		if (step.form === undefined) return step.body === undefined ? null : this.#fill(step.body, (text) => text);
		return Object.entries(step.form)
			.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(this.#fill(value, (text) => text))}`)
			.join('&')
			.replace(/%20/g, '+');
	}

	/** A template filled in as a whole; a variable at the start of an address stands for itself. */
	#fill(template: string, encode: (text: string) => string): string {
		return template.replace(/\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/g, (whole, name: string, offset: number) => {
			const value = this.#variables.get(name) ?? this.#options.secrets[name]?.()?.reveal();
			if (value === undefined) throw new ProbeFailure('config', `there is no variable ${whole}; an earlier step must extract it`);
			return offset === 0 && /^(https?:\/\/|\/)/.test(value) ? value : encode(value);
		});
	}

	#address(text: string, from: string | URL = this.#options.base): URL {
		let url: URL;
		try {
			url = new URL(text, from);
		} catch (error) {
			throw new ProbeFailure('redirect', 'an address cannot be made of this step or redirect', error);
		}
		if (url.protocol !== 'http:' && url.protocol !== 'https:')
			throw new ProbeFailure('redirect', `the scheme ${url.protocol} is not followed`);
		return url;
	}
}

/** An extracted value may hold a line break; it must not become another header. */
function headerValue(text: string): string {
	return text.replace(/[\r\n\0]/g, '');
}

const VALUE_CHARACTERS = 8192;

async function extract(rule: JourneyStep['extract'][number], answer: Answer): Promise<string> {
	let value: string | null | undefined;
	if (rule.header !== undefined) {
		const header = answer.headers[rule.header.toLowerCase()];
		value = Array.isArray(header) ? header[0] : header;
		if (value !== undefined && rule.matches !== undefined) value = (await compileRegex(rule.matches)).first(value);
	} else if (rule.json !== undefined) {
		const found = valuesAt(parseJson(answer.body), parseJsonPath(rule.json) ?? [])[0];
		value = found === undefined ? undefined : jsonText(found);
	} else if (rule.matches !== undefined) value = (await compileRegex(rule.matches)).first(answer.body.toString('utf8'));
	if (value === undefined || value === null) throw new ProbeFailure('text', `"${rule.name}" is not in the answer`);
	return value.slice(0, VALUE_CHARACTERS);
}
