import { isIPv6 } from 'node:net';

const WINDOW_MS = 60_000;
/** Addresses that are told apart in a minute; those beyond share one allowance. */
const MOST_ADDRESSES = 10_000;

/** So many requests a minute from each address. */
export class AddressLimit {
	readonly #perMinute: number;
	readonly #counts = new Map<string, number>();
	#windowMs = Number.NEGATIVE_INFINITY;

	constructor(perMinute: number) {
		this.#perMinute = perMinute;
	}

	/** Whether another one may pass; `nowMs` by the monotonic clock. */
	passes(address: string, nowMs: number): boolean {
		if (nowMs - this.#windowMs >= WINDOW_MS) {
			this.#windowMs = nowMs;
			this.#counts.clear();
		}
		const network = networkOf(address);
		const key = this.#counts.has(network) || this.#counts.size < MOST_ADDRESSES ? network : '';
		const count = (this.#counts.get(key) ?? 0) + 1;
		this.#counts.set(key, count);
		return count <= this.#perMinute;
	}
}

/** One customer has a whole /64 of IPv6. */
function networkOf(address: string): string {
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
	if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
	const [head = '', tail = ''] = address.split('::');
	const first = head === '' ? [] : head.split(':');
	const last = tail === '' ? [] : tail.split(':');
	const groups = [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
	return groups.slice(0, 4).join(':');
}
