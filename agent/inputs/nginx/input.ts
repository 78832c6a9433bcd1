import { type Input, singleGauge } from '../input.ts';
import { readStatusPage } from '../service-http.ts';
import { parseStubStatus } from './stub-status.ts';

export interface NginxInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly url: string;
	readonly userAgent: string;
}

/** Nginx through `stub_status`. */
export function createNginxInput(options: NginxInputOptions): Input {
	return {
		name: 'nginx',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('nginx_up', 'Status of the last metric scrape.', 0)],
		async collect(signal) {
			const text = await readStatusPage(options.url, {
				headers: { 'user-agent': options.userAgent },
				timeoutMs: options.timeoutMs,
				maxBodyBytes: 4096,
				signal,
			});
			return parseStubStatus(text);
		},
		async close() {},
	};
}
