import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { durationSchema, entryProperties } from '../entry-schema.ts';

const { interval, labels } = entryProperties();
const Text = Type.String({ minLength: 1 });

export const JsonConditionSchema = Type.Object(
	{
		path: Text,
		equals: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
		matches: Type.Optional(Text),
		min: Type.Optional(Type.Number()),
		max: Type.Optional(Type.Number()),
		min_count: Type.Optional(Type.Integer({ minimum: 0 })),
		max_count: Type.Optional(Type.Integer({ minimum: 0 })),
	},
	{ additionalProperties: false },
);

/** What an HTTP answer must be. Shared by probes, journeys and whatever else reads a page. */
export function expectProperties() {
	return {
		/** Accepted statuses. Default: 200 to 399. */
		status: Type.Optional(Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { minItems: 1 })),
		/** Text that the body must contain. */
		text: Type.Optional(Text),
		/** Text that the body must not contain. */
		not_text: Type.Optional(Text),
		/** RE2 patterns that the body must, and must not, match. */
		matches: Type.Array(Text, { default: [] }),
		not_matches: Type.Array(Text, { default: [] }),
		json: Type.Array(JsonConditionSchema, { default: [] }),
		min_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
		max_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
		/** RE2 pattern of the address after redirects. */
		final_url: Type.Optional(Text),
		headers: Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]+$' }), Text, { default: {} }),
	};
}

/** How a server is reached: name resolution, TLS, proxy. Shared like `expectProperties`. */
export function reachProperties() {
	return {
		/** PEM file of a private CA. */
		ca_file: Type.Optional(Text),
		/** Client certificate and its key, PEM files. */
		cert_file: Type.Optional(Text),
		key_file: Type.Optional(Text),
		/** Name that is sent (SNI) and checked, instead of the target's. */
		server_name: Type.Optional(Text),
		/** `false` takes any certificate; its expiry is measured all the same. */
		tls_verify: Type.Boolean({ default: true }),
		tls_min_version: Type.Union([Type.Literal('TLSv1'), Type.Literal('TLSv1.1'), Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
			default: 'TLSv1.2',
		}),
		/** A server that speaks only TLCP (GB/T 38636) fails the check (`fail`), or passes it when it answers the national handshake (`accept`). */
		gm_only: Type.Union([Type.Literal('fail'), Type.Literal('accept')], { default: 'fail' }),
		ip_family: Type.Union([Type.Literal('any'), Type.Literal(4), Type.Literal(6)], { default: 'any' }),
		/** `ip` or `ip:port` of a name server instead of the system's. */
		resolver: Type.Optional(Text),
	};
}

export function requestProperties() {
	return {
		method: Type.String({ pattern: '^[A-Z]{3,10}$', default: 'GET' }),
		headers: Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]+$' }), Type.String(), { default: {} }),
		/** Headers whose values are secrets. */
		secret_headers: Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]+$' }), SecretRefSchema, { default: {} }),
		body: Type.Optional(Type.String()),
		/** HTTP Basic. */
		username: Type.Optional(Text),
		password: Type.Optional(SecretRefSchema),
		/** `Authorization: Bearer …`. */
		bearer: Type.Optional(SecretRefSchema),
		/** How many redirects are followed; 0 takes the first answer. */
		redirects: Type.Integer({ default: 0, minimum: 0, maximum: 20 }),
		/** `http://host:port`. */
		proxy: Type.Optional(Type.String({ pattern: '^http://' })),
		proxy_username: Type.Optional(Text),
		proxy_password: Type.Optional(SecretRefSchema),
		max_body: Type.Integer({ default: 1024 * 1024, minimum: 1, maximum: 64 * 1024 * 1024 }),
	};
}

export const ProbeConfigSchema = Type.Object(
	{
		/** Name of the check; services refer to it, so it is unique in the whole installation. */
		id: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }),
		kind: Type.Union([
			Type.Literal('http'),
			Type.Literal('tcp'),
			Type.Literal('tls'),
			Type.Literal('dns'),
			Type.Literal('icmp'),
			Type.Literal('sql'),
		]),
		/** `http`: an address `http://…` or `https://…`; `tcp`, `tls`, `sql`: `host:port`; `dns`: name server; `icmp`: host. */
		target: Text,
		interval,
		timeout: durationSchema('3s'),
		/** Where the last answer is slower than this the check is degraded, although it succeeds. */
		degraded_after: Type.Optional(durationSchema()),
		/** `http` only. */
		expect: Type.Object(expectProperties(), { additionalProperties: false, default: {} }),
		/** `http` only. */
		http: Type.Object(requestProperties(), { additionalProperties: false, default: {} }),
		...reachProperties(),
		/** `tcp` and `tls`: what is said and expected, turn by turn. */
		dialogue: Type.Array(
			Type.Object(
				{ expect: Type.Optional(Text), send: Type.Optional(Type.String()), starttls: Type.Optional(Type.Boolean()) },
				{ additionalProperties: false },
			),
			{ default: [], maxItems: 50 },
		),
		dns: Type.Optional(
			Type.Object(
				{
					name: Text,
					type: Type.Union(
						[
							...([Type.Literal('A'), Type.Literal('NS'), Type.Literal('CNAME'), Type.Literal('SOA'), Type.Literal('PTR')] as const),
							...([Type.Literal('MX'), Type.Literal('TXT'), Type.Literal('AAAA'), Type.Literal('SRV'), Type.Literal('CAA')] as const),
						],
						{ default: 'A' },
					),
					transport: Type.Union([Type.Literal('udp'), Type.Literal('tcp')], { default: 'udp' }),
					recursion: Type.Boolean({ default: true }),
					rcodes: Type.Array(Text, { default: ['NOERROR'], minItems: 1 }),
					answers: Type.Array(Text, { default: [] }),
					/** No other answers of that type than `answers`. */
					only: Type.Boolean({ default: false }),
				},
				{ additionalProperties: false },
			),
		),
		icmp: Type.Object(
			{ allow_child_process: Type.Boolean({ default: false }), command: Type.String({ default: 'ping', minLength: 1 }) },
			{ additionalProperties: false, default: {} },
		),
		sql: Type.Optional(
			Type.Object(
				{
					username: Text,
					password: Type.Optional(SecretRefSchema),
					database: Type.String({ default: '' }),
					query: Type.String({ default: 'SELECT 1', minLength: 1 }),
					/** The first value of the first row; without it any row will do. */
					equals: Type.Optional(Type.String()),
					min: Type.Optional(Type.Number()),
					max: Type.Optional(Type.Number()),
				},
				{ additionalProperties: false },
			),
		),
		labels,
	},
	{ additionalProperties: false },
);
export type ProbeConfig = Static<typeof ProbeConfigSchema>;
