import { parseDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { type PostedAlert, SEVERITIES } from '../../protocol/alert.ts';
import { fingerprintOf } from '../alert.ts';
import { valueAt } from '../notify/value-at.ts';
import type { IntakeConfig } from './config.ts';
import { type ForeignMapping, NO_STATE, SHIPPED_MAPPINGS } from './formats.ts';

/** Alerts in one post; nothing else posts thousands at once, and a mistake in `items` could. */
const MAX_ALERTS = 1000;
const MAX_TEXT = 2000;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function mappingOf(config: IntakeConfig): ForeignMapping {
	const shipped = SHIPPED_MAPPINGS[config.format];
	return {
		...shipped,
		...(config.items === undefined ? {} : { items: config.items }),
		labels: { ...shipped.labels, ...config.labels },
		annotations: { ...shipped.annotations, ...config.annotations },
		status: config.status ?? shipped.status,
		resolved: config.resolved ?? shipped.resolved,
		severity: config.severity ?? shipped.severity,
		severities: { ...shipped.severities, ...config.severities },
		defaultSeverity: config.default_severity ?? shipped.defaultSeverity,
		startsAt: config.starts_at ?? shipped.startsAt,
	};
}

/**
 * What a post of another system means here. Its alert is the same as before when all labels but the severity are: a raised
 * level ends the alert of the lower one. `open` are the alerts that fire. Throws `FN_ALERTS_INTAKE_INVALID`.
 */
export function foreignAlerts(
	body: unknown,
	config: IntakeConfig,
	world: { readonly nowMs: number; readonly open: readonly Readonly<Record<string, string>>[] },
): readonly PostedAlert[] {
	const mapping = mappingOf(config);
	const root = mapping.items === undefined ? body : valueAt(body, mapping.items);
	const entries = Array.isArray(root) ? root : [root];
	if (entries.length > MAX_ALERTS) throw invalid(config, `it holds ${entries.length} alerts, more than ${MAX_ALERTS}`);
	const holdMs = parseDuration(config.hold);
	return entries.flatMap((entry: unknown): readonly PostedAlert[] => {
		if (typeof entry !== 'object' || entry === null) throw invalid(config, 'it holds no alert where the mapping looks for one');
		const status = fill(mapping.status, entry);
		if (NO_STATE.includes(status)) return [];
		const identity = labelsOf(mapping, entry, config.name);
		if ((identity['alertname'] ?? '') === '') throw invalid(config, 'an alert has no name; see labels.alertname of the mapping');
		const word = fill(mapping.severity, entry);
		const labels = { ...identity, severity: identity['severity'] ?? severityOf(mapping, word) };
		const over = mapping.resolved.includes(status);
		const annotations = textsOf(mapping.annotations, entry);
		const startsAtMs = Math.min(timeOf(fill(mapping.startsAt, entry), world.nowMs), world.nowMs);
		const same = world.open.filter((labelsOpen) => isSame(labelsOpen, identity));
		const ended = same
			.filter((labelsOpen) => over || labelsOpen['severity'] !== labels.severity)
			.map((labelsOpen) => posted(labelsOpen, annotations, { startsAtMs, endsAtMs: world.nowMs }));
		if (over) return ended.length > 0 ? ended : [posted(labels, annotations, { startsAtMs, endsAtMs: world.nowMs })];
		return [...ended, posted(labels, annotations, { startsAtMs, endsAtMs: world.nowMs + holdMs })];
	});
}

function posted(
	labels: Readonly<Record<string, string>>,
	annotations: Readonly<Record<string, string>>,
	times: { readonly startsAtMs: number; readonly endsAtMs: number },
): PostedAlert {
	return { labels, annotations, ...times, startsAtMs: Math.min(times.startsAtMs, times.endsAtMs), generatorUrl: '' };
}

function labelsOf(mapping: ForeignMapping, entry: object, name: string): Record<string, string> {
	const labels: Record<string, string> = { intake: name };
	for (const [label, text] of Object.entries(mapping.labels)) {
		const value = fill(text, entry);
		if (LABEL_NAME.test(label) && value !== '') labels[label] = value;
	}
	return labels;
}

function textsOf(texts: Readonly<Record<string, string>>, entry: object): Record<string, string> {
	return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text, entry)]));
}

function isSame(open: Readonly<Record<string, string>>, identity: Readonly<Record<string, string>>): boolean {
	const { severity: _ignored, ...rest } = open;
	const { severity: _own, ...wanted } = identity;
	return fingerprintOf(rest) === fingerprintOf(wanted);
}

function severityOf(mapping: ForeignMapping, word: string): string {
	const mapped = Object.hasOwn(mapping.severities, word) ? mapping.severities[word] : undefined;
	return mapped ?? ((SEVERITIES as readonly string[]).includes(word) ? word : mapping.defaultSeverity);
}

/** Fills `{a.b|c}` with the first value that is there; one pass, so that values are never taken for placeholders. */
function fill(text: string, entry: object): string {
	const filled = text.replace(/\{([^{}]+)\}/g, (_whole, paths: string) => {
		for (const path of paths.split('|')) {
			const value = valueAt(entry, path.trim());
			if (value === undefined || value === null || value === '') continue;
			return typeof value === 'object' ? JSON.stringify(value) : String(value);
		}
		return '';
	});
	return filled.toWellFormed().slice(0, MAX_TEXT).toWellFormed();
}

/** Seconds or milliseconds since the epoch, RFC 3339, or Beijing time without a zone. */
function timeOf(text: string, nowMs: number): number {
	if (/^\d{10}$/.test(text)) return Number(text) * 1000;
	if (/^\d{13}$/.test(text)) return Number(text);
	const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text);
	const ms = Date.parse(zoned ? text : `${text.trim().replace(/\./g, '-').replace(' ', 'T')}+08:00`);
	return Number.isNaN(ms) ? nowMs : ms;
}

function invalid(config: IntakeConfig, reason: string): AppError {
	return new AppError('FN_ALERTS_INTAKE_INVALID', `a post to the intake "${config.name}" cannot be read: ${reason}`, { status: 400 });
}
