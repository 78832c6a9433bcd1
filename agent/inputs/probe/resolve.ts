import { lookup, Resolver } from 'node:dns';
import { isIP } from 'node:net';
import type { Deadline } from './deadline.ts';
import { ProbeFailure } from './failure.ts';

export interface ResolvedAddress {
	readonly ip: string;
	readonly family: 4 | 6;
}

export interface ResolveOptions {
	/** `null` takes what the system prefers. */
	readonly family: 4 | 6 | null;
	/** `ip` or `ip:port` of a name server that is asked instead of the system's resolver; `/etc/hosts` does not count then. */
	readonly resolver: string | null;
}

/**
 * The system's resolver blocks a thread of Node's pool per name for as long as its name servers are silent, and four blocked
 * threads would stop all file access of the agent. So at most two questions are outstanding in the whole process, and the
 * same question is asked once.
 */
const MOST_LOOKUPS = 2;
const outstanding = new Map<string, Promise<ResolvedAddress>>();

export async function resolveHost(host: string, options: ResolveOptions, deadline: Deadline): Promise<ResolvedAddress> {
	deadline.phase('resolving the name');
	const literal = isIP(host);
	if (literal === 4 || literal === 6) {
		if (options.family !== null && options.family !== literal)
			throw new ProbeFailure('resolve', `${host} is not an address of IPv${options.family}, which ip_family asks for`);
		return { ip: host, family: literal };
	}
	return options.resolver === null
		? systemLookup(host, options.family, deadline)
		: askResolver(host, options.resolver, options.family, deadline);
}

function systemLookup(host: string, family: 4 | 6 | null, deadline: Deadline): Promise<ResolvedAddress> {
	const key = `${family ?? 0} ${host}`;
	let question = outstanding.get(key);
	if (question === undefined) {
		if (outstanding.size >= MOST_LOOKUPS) return waitForTurn(host, family, deadline);
		question = new Promise<ResolvedAddress>((resolve, reject) => {
			lookup(host, { family: family ?? 0, verbatim: false }, (error, address, found) => {
				outstanding.delete(key);
				if (error !== null) reject(new ProbeFailure('resolve', `the name ${host} cannot be resolved (${error.code})`, error));
				else resolve({ ip: address, family: found === 6 ? 6 : 4 });
			});
		});
		outstanding.set(key, question);
	}
	const answer = question;
	return deadline.race((resolve, reject) => {
		answer.then(resolve, reject);
	});
}

async function waitForTurn(host: string, family: 4 | 6 | null, deadline: Deadline): Promise<ResolvedAddress> {
	while (outstanding.size >= MOST_LOOKUPS) {
		await deadline.race<void>((resolve) => {
			Promise.race(outstanding.values()).then(
				() => resolve(),
				() => resolve(),
			);
		});
	}
	return systemLookup(host, family, deadline);
}

/** c-ares: sockets and timers, no thread. */
function askResolver(host: string, server: string, family: 4 | 6 | null, deadline: Deadline): Promise<ResolvedAddress> {
	const resolver = new Resolver({ timeout: Math.max(200, Math.floor(deadline.timeoutMs / 2)), tries: 2 });
	return deadline.race<ResolvedAddress>(
		(resolve, reject) => {
			try {
				resolver.setServers([server]);
			} catch (error) {
				reject(new ProbeFailure('config', `"${server}" is not the address of a name server`, error));
				return;
			}
			const ask = (version: 4 | 6, otherwise: (error: Error) => void) => {
				const done = (error: Error | null, addresses: string[]) => {
					const ip = error === null ? addresses[0] : undefined;
					if (ip !== undefined) resolve({ ip, family: version });
					else otherwise(error ?? new Error('no address'));
				};
				if (version === 4) resolver.resolve4(host, done);
				else resolver.resolve6(host, done);
			};
			const fail = (error: Error) => reject(new ProbeFailure('resolve', `${server} does not resolve ${host}: ${error.message}`, error));
			if (family !== null) ask(family, fail);
			else ask(4, () => ask(6, fail));
		},
		() => resolver.cancel(),
	);
}
