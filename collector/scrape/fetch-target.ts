import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import type { HttpRequest, HttpResponse } from '../../core/http-client.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import { type ExpositionFormat, expositionFormat } from '../../protocol/exposition/parse.ts';
import type { ScrapeJobConfig } from './config.ts';
import { parseSize } from './config.ts';

export type HttpExchange = (url: string, request: HttpRequest) => Promise<HttpResponse>;

export interface FetchServices {
	readonly http: HttpExchange;
	readonly secrets: (ref: SecretRef) => Secret;
}

/** An answer, decompressed. */
export interface ScrapedText {
	readonly body: Uint8Array;
	readonly format: ExpositionFormat;
}

const MAX_REDIRECTS = 10;
const ACCEPT =
	'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const gunzipped = promisify(gunzip);

/** Asks the targets of one job. */
export class TargetFetcher {
	readonly #job: ScrapeJobConfig;
	readonly #services: FetchServices;
	readonly #maxBytes: number;
	// No connection is kept: a target that closes an idle one at the wrong moment would look as if it were down.
	readonly #http = new HttpAgent({ keepAlive: false });
	#https: { readonly ca: string; readonly agent: HttpsAgent };

	/** Throws `FN_SCRAPE_CA_UNREADABLE`. */
	constructor(job: ScrapeJobConfig, services: FetchServices) {
		this.#job = job;
		this.#services = services;
		this.#maxBytes = parseSize(job.body_size_limit);
		this.#https = this.#withCa(readCa(job.tls_config.ca_file));
	}

	/**
	 * One scrape, redirects included, within `timeoutMs`. Throws an `AppError` when there is no answer in time, when its status is not 200,
	 * or when it is too large.
	 */
	async fetch(url: string, timeoutMs: number, signal: AbortSignal): Promise<ScrapedText> {
		const deadline = performance.now() + timeoutMs;
		// Read each time, as Prometheus does: a certificate that was renewed under another CA needs no reload.
		const ca = readCa(this.#job.tls_config.ca_file);
		if (ca !== this.#https.ca) this.#https = this.#withCa(ca);
		let place = url;
		for (let redirects = 0; ; redirects++) {
			const answer = await this.#services.http(place, {
				headers: this.#headers(url, place, timeoutMs),
				timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())),
				maxBodyBytes: this.#maxBytes,
				signal,
				agent: place.startsWith('https:') ? this.#https.agent : this.#http,
			});
			const next = this.#job.follow_redirects ? redirection(answer, place) : null;
			if (next === null) return this.#read(answer);
			if (redirects === MAX_REDIRECTS) throw new AppError('FN_SCRAPE_REDIRECTS', `the target redirects more than ${MAX_REDIRECTS} times`);
			place = next;
		}
	}

	#withCa(ca: string): { readonly ca: string; readonly agent: HttpsAgent } {
		const { insecure_skip_verify, server_name } = this.#job.tls_config;
		const agent = new HttpsAgent({
			keepAlive: false,
			rejectUnauthorized: !insecure_skip_verify,
			...(ca === '' ? {} : { ca }),
			...(server_name === '' ? {} : { servername: server_name }),
		});
		return { ca, agent };
	}

	#headers(url: string, place: string, timeoutMs: number): Record<string, string> {
		const headers: Record<string, string> = {
			accept: ACCEPT,
			'accept-encoding': 'gzip',
			'user-agent': 'Fournines',
			'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
		};
		// Credentials are for the target alone, not for whoever it points to.
		if (new URL(place).origin !== new URL(url).origin) return headers;
		const { basic_auth: basic, authorization } = this.#job;
		const { secrets } = this.#services;
		if (basic !== undefined) {
			const pair = `${basic.username}:${secrets(basic.password).reveal()}`;
			headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
		} else if (authorization !== undefined) {
			headers['authorization'] = `${authorization.type} ${secrets(authorization.credentials).reveal().trim()}`;
		}
		return headers;
	}

	async #read(answer: HttpResponse): Promise<ScrapedText> {
		if (answer.status !== 200) throw new AppError('FN_SCRAPE_STATUS', `the target answered with HTTP status ${answer.status}`);
		const format = expositionFormat(headerText(answer.headers['content-type']));
		const encoding = headerText(answer.headers['content-encoding']).trim().toLowerCase();
		if (encoding === '' || encoding === 'identity') return { body: answer.body, format };
		if (encoding !== 'gzip')
			throw new AppError('FN_SCRAPE_ENCODING', `the target answered with the content encoding "${encoding}"; only gzip was offered`);
		try {
			return { body: await gunzipped(answer.body, { maxOutputLength: this.#maxBytes }), format };
		} catch (error) {
			if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
				throw new AppError(
					'FN_SCRAPE_BODY_TOO_LARGE',
					`the answer is larger than body_size_limit (${this.#maxBytes} bytes) when decompressed`,
				);
			}
			throw new AppError('FN_SCRAPE_ENCODING', 'the answer says that it is gzip, but it cannot be decompressed', { cause: error });
		}
	}
}

function redirection(answer: HttpResponse, place: string): string | null {
	if (![301, 302, 303, 307, 308].includes(answer.status)) return null;
	const location = headerText(answer.headers['location']);
	if (location === '' || !URL.canParse(location, place)) return null;
	const next = new URL(location, place);
	return next.protocol === 'http:' || next.protocol === 'https:' ? next.href : null;
}

function headerText(value: string | string[] | undefined): string {
	return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** `''` where none is named. */
function readCa(file: string): string {
	if (file === '') return '';
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError(
			'FN_SCRAPE_CA_UNREADABLE',
			`ca_file ${file} cannot be read (${systemErrorCode(error)}); check the path and its permissions`,
			{
				cause: error,
				status: 400,
			},
		);
	}
}
