import type { Static } from 'typebox';
import { Clone, Default } from 'typebox/value';
import type { AlertStatus } from '../../../alerts/alerting.ts';
import type { MatcherOperator } from '../../../alerts/route/matcher.ts';
import { type Silence, type SilenceMatcher, type SilencePrice, silenceState } from '../../../alerts/silence/silence.ts';
import type { SilenceRequest } from '../../../alerts/silence/silences.ts';
import { type Occurrence, type TimeSpecConfig, TimeSpecSchema } from '../../../alerts/time/time-interval.ts';
import { AppError } from '../../../core/errors.ts';
import type { PostedAlert } from '../../../protocol/alert.ts';
import type { PostableAlertsSchema, PostableSilenceSchema } from './schemas.ts';

const time = (ms: number) => new Date(ms).toISOString();

/** `gettableAlert` of Alertmanager's OpenAPI 2. */
export function gettableAlert(status: AlertStatus, receivers: readonly string[] = status.receivers) {
	const { alert } = status;
	return {
		annotations: alert.annotations,
		endsAt: time(alert.expiresAtMs),
		fingerprint: alert.fingerprint,
		receivers: receivers.map((name) => ({ name })),
		startsAt: time(alert.startsAtMs),
		status: { inhibitedBy: status.inhibitedBy, silencedBy: status.silencedBy, state: status.state },
		updatedAt: time(alert.updatedAtMs),
		generatorURL: alert.generatorUrl,
		labels: alert.labels,
	};
}

/** `gettableSilence`, and beyond it when the silence comes back, its next or present time, and what it has hidden so far. */
export function gettableSilence(
	silence: Silence,
	nowMs: number,
	{ hidden, next }: { readonly hidden: SilencePrice; readonly next: Occurrence | null },
) {
	return {
		id: silence.id,
		status: { state: silenceState(silence, nowMs) },
		updatedAt: time(silence.updatedAtMs),
		comment: silence.comment,
		createdBy: silence.createdBy,
		endsAt: time(silence.endsAtMs),
		startsAt: time(silence.startsAtMs),
		...(silence.recurrence.length === 0
			? {}
			: { recurrence: silence.recurrence, next: next === null ? null : { startsAt: time(next.fromMs), endsAt: time(next.toMs) } }),
		hidden,
		matchers: silence.matchers.map(({ name, operator, value }) => ({
			isEqual: operator === '=' || operator === '=~',
			isRegex: operator === '=~' || operator === '!~',
			name,
			value,
		})),
	};
}

/** Throws `FN_ALERTS_POST_INVALID` naming the alert. A Go client sends its zero time (year 1) for "not given". */
export function postedAlerts(body: Static<typeof PostableAlertsSchema>, nowMs: number): PostedAlert[] {
	return body.map((alert, i) => {
		const endsAtMs = given(alert.endsAt, `[${i}].endsAt`);
		const startsAtMs = given(alert.startsAt, `[${i}].startsAt`) ?? (endsAtMs === null ? nowMs : Math.min(endsAtMs, nowMs));
		if (endsAtMs !== null && endsAtMs < startsAtMs) throw invalid(`[${i}]: the end is before the start`);
		const pairs = Object.entries(alert.labels);
		const labels = pairs.every(([, value]) => value !== '') ? alert.labels : Object.fromEntries(pairs.filter(([, value]) => value !== ''));
		if (Object.keys(labels).length === 0) throw invalid(`[${i}]: an alert needs at least one label with a value`);
		const annotations = alert.annotations ?? {};
		if (![...Object.values(labels), ...Object.values(annotations)].every((value) => value.isWellFormed())) {
			throw invalid(`[${i}]: a label or annotation holds half of a character`);
		}
		return { labels, annotations, startsAtMs, endsAtMs, generatorUrl: alert.generatorURL ?? '' };
	});
}

export function silenceRequest(body: Static<typeof PostableSilenceSchema>): SilenceRequest {
	return {
		...(body.id === undefined ? {} : { id: body.id }),
		matchers: body.matchers.map(
			({ name, value, isRegex, isEqual = true }): SilenceMatcher => ({ name, value, operator: operatorOf(isEqual, isRegex) }),
		),
		startsAtMs: given(body.startsAt, 'startsAt') ?? 0,
		endsAtMs: given(body.endsAt, 'endsAt') ?? 0,
		createdBy: body.createdBy,
		comment: body.comment,
		...(body.recurrence === undefined
			? {}
			: { recurrence: body.recurrence.map((spec) => Default(TimeSpecSchema, Clone(spec)) as TimeSpecConfig) }),
	};
}

function operatorOf(isEqual: boolean, isRegex: boolean): MatcherOperator {
	if (isRegex) return isEqual ? '=~' : '!~';
	return isEqual ? '=' : '!=';
}

function given(text: string | undefined, place: string): number | null {
	if (text === undefined) return null;
	const ms = Date.parse(text);
	if (Number.isNaN(ms)) throw invalid(`${place}: "${text}" is not a time that exists`);
	return ms <= 0 ? null : ms;
}

function invalid(message: string): AppError {
	return new AppError('FN_ALERTS_POST_INVALID', message, { status: 400 });
}
