import { escapeHtml, type TemplateFunction } from '../../../core/go-template/builtins.ts';
import { goTime, inZone, millisecondsOf, timeOf } from '../../../core/go-template/go-time.ts';
import { SafeHtml } from '../../../core/go-template/html-output.ts';
import { humanizeDuration } from '../../../core/go-template/humanize.ts';
import { TEXT_FUNCTIONS } from '../../../core/go-template/regexp.ts';
import type { Language } from '../language.ts';

export interface FunctionWorld {
	/** Whether what comes out is HTML, where `safeHtml` and `html` mean something. */
	readonly html: boolean;
	readonly language: Language;
	readonly now: () => number;
}

/** What Alertmanager gives its templates beside Go's own (prometheus.io/docs/alerting/latest/notifications/#functions), and `say`. */
export function alertmanagerFunctions(world: FunctionWorld): Readonly<Record<string, TemplateFunction>> {
	const safe = (text: string) => (world.html ? new SafeHtml(text) : text);
	return {
		...TEXT_FUNCTIONS,
		// As x/text/cases does: the rest of a word becomes small.
		title: (text) => TEXT_FUNCTIONS['title']?.(String(text).toLowerCase()),
		trimSpace: (text) => String(text).trim(),
		join: (separator, list) => {
			if (!Array.isArray(list)) throw new Error('the argument is no list');
			return list.map(String).join(String(separator));
		},
		stringSlice: (...texts) => texts.map(String),
		safeHtml: (text) => safe(String(text)),
		safeUrl: (text) => safe(String(text)),
		...(world.html ? { html: (...texts) => safe(escapeHtml(texts.map(String).join(''))) } : {}),
		urlUnescape: (text) => decodeURIComponent(String(text).replaceAll('+', ' ')),
		date: (layout, time) => timeOf(time).Format(layout),
		tz: (zone, time) => inZone(time, String(zone)),
		since: (time) => goTime(world.now()).Sub(time),
		humanizeDuration: (value) => humanizeDuration(typeof value === 'object' ? millisecondsOf(value) / 1000 : Number(value)),
		toJson: (value) => JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value),
		/** The words of the place's language: Chinese, then English. */
		say: (chinese, english) => (world.language === 'zh-CN' ? chinese : english),
	};
}
