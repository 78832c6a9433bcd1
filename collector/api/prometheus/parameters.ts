import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import { tryParseDuration } from '../../../core/duration.ts';
import { AppError } from '../../../core/errors.ts';

/** Unknown parameters are ignored, as Prometheus does: clients send what other servers understand. */
const ParametersSchema = Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]));

const MIN_TIME_MS = Number.MIN_SAFE_INTEGER;
const MAX_TIME_MS = Number.MAX_SAFE_INTEGER;

export function badParameter(name: string, message: string): AppError {
	return new AppError('FN_QUERY_BAD_PARAMETER', `invalid parameter "${name}": ${message}`, { status: 400 });
}

/** Parameters of the address and, for a POST, of the form; for single values the form wins. */
export class Parameters {
	readonly #sources: readonly Readonly<Record<string, string | string[]>>[];

	constructor(request: FastifyRequest) {
		const sources: Readonly<Record<string, string | string[]>>[] = [];
		for (const source of [request.body, request.query]) {
			if (source === undefined || source === null) continue;
			if (!Check(ParametersSchema, source)) {
				throw new AppError('FN_QUERY_BAD_PARAMETER', 'the parameters must be a form: application/x-www-form-urlencoded', { status: 400 });
			}
			sources.push(source);
		}
		this.#sources = sources;
	}

	/** `''` when absent. */
	one(name: string): string {
		for (const source of this.#sources) {
			if (!Object.hasOwn(source, name)) continue;
			const value = source[name];
			const first = Array.isArray(value) ? value[0] : value;
			if (first !== undefined && first !== '') return first;
		}
		return '';
	}

	all(name: string): readonly string[] {
		return this.#sources.flatMap((source) => (Object.hasOwn(source, name) ? (source[name] ?? []) : []));
	}

	/** Milliseconds of Unix seconds or RFC 3339; `fallback` when absent. */
	time(name: string, fallback?: number): number {
		const text = this.one(name);
		if (text === '') {
			if (fallback !== undefined) return fallback;
			throw badParameter(name, 'cannot parse "" to a valid timestamp');
		}
		return parseTime(name, text);
	}

	/** Milliseconds of float seconds or a duration such as `1m30s`; `undefined` when absent. */
	duration(name: string): number | undefined {
		const text = this.one(name);
		if (text === '') return undefined;
		const seconds = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : null;
		const ms = seconds === null ? tryParseDuration(text) : seconds * 1000;
		if (ms === null || !Number.isFinite(ms)) throw badParameter(name, `cannot parse "${text.slice(0, 100)}" to a valid duration`);
		if (Math.abs(ms) > 9.2e15) throw badParameter(name, `cannot parse "${text.slice(0, 100)}" to a valid duration. It overflows int64`);
		return ms;
	}

	/** 0 when absent: no limit. */
	limit(name = 'limit'): number {
		const text = this.one(name);
		if (text === '') return 0;
		if (!/^[0-9]{1,15}$/.test(text)) throw badParameter(name, `cannot parse "${text.slice(0, 100)}" to a positive number`);
		return Number(text);
	}

	/** Times of a label or series request; without them, everything. */
	span(): { readonly startMs: number; readonly endMs: number } {
		const startMs = this.time('start', MIN_TIME_MS);
		const endMs = this.time('end', MAX_TIME_MS);
		if (endMs < startMs) throw badParameter('end', 'end timestamp must not be before start time');
		return { startMs, endMs };
	}
}

function parseTime(name: string, text: string): number {
	if (/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) {
		const ms = Math.round(Number(text) * 1000);
		if (Number.isSafeInteger(ms)) return ms;
	} else if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text)) {
		const ms = Date.parse(text);
		if (!Number.isNaN(ms)) return ms;
	}
	// Prometheus' own clients send these for "as far as possible".
	if (/^-292273086-05-16T16:47:06Z$/.test(text)) return MIN_TIME_MS;
	if (/^292277025-08-18T07:12:54\.999999999Z$/.test(text)) return MAX_TIME_MS;
	throw badParameter(name, `cannot parse "${text.slice(0, 100)}" to a valid timestamp`);
}
