import { errorText } from '../../../core/errors.ts';
import { htmlOutput } from '../../../core/go-template/html-output.ts';
import { parseTemplate, type Template } from '../../../core/go-template/template.ts';
import type { Notification } from '../../notify/notification.ts';
import type { Language } from '../language.ts';
import { shorten } from '../shorten.ts';
import type { TextSize } from '../texts.ts';
import { alertmanagerData } from './data.ts';
import { DEFAULT_TEMPLATES } from './default-templates.ts';
import { alertmanagerFunctions } from './functions.ts';
import type { TemplateFile } from './template-files.ts';

/** Where a text written for Alertmanager stands. */
export interface AlertmanagerPlace {
	readonly channel: string;
	readonly language: Language;
	readonly externalUrl: string;
	readonly html: boolean;
	/** Saying nothing is not a mistake of it. */
	readonly mayBeEmpty: boolean;
	/** How problems name the text: the key of the configuration. */
	readonly name: string;
}

/** `null` where the template fails, or says nothing: the caller has a text of its own for that. */
export type AlertmanagerTextOf = (notification: Notification, possibleDuplicate: boolean, size?: TextSize) => Promise<string | null>;

/** Texts in Alertmanager's language, on its default templates and the files of `alerts.templates`. */
export interface AlertmanagerTexts {
	/** Whether a file replaces one of Alertmanager's default templates: then places without a text of their own use those. */
	readonly redefined: boolean;
	text(template: string, place: AlertmanagerPlace): AlertmanagerTextOf;
}

const DEFAULT_NAMES = DEFAULT_TEMPLATES.flatMap(({ text }) => [...text.matchAll(/define "([^"]+)"/g)].map(([, name = '']) => name));
const CHECKED = { html: false, language: 'zh-CN', now: () => 0 } as const;

/** Throws `FN_TEMPLATE_PARSE` for a file that cannot be read as a template. `onError` hears of texts that fail when they are used. */
export function createAlertmanagerTexts(
	files: readonly TemplateFile[],
	world: { readonly now: () => number; readonly onError: (channel: string, reason: string) => void },
): AlertmanagerTexts {
	const associated = [...DEFAULT_TEMPLATES, ...files];
	return {
		redefined: files.map(checkAlertmanagerTemplate).some((file) => DEFAULT_NAMES.some((name) => file.has(name))),
		text: (template, { channel, language, externalUrl, html, mayBeEmpty, name }) => {
			// Most places of a configuration never send: a template is parsed when it is first needed.
			let parsed: Template | null = null;
			return async (notification, possibleDuplicate, size) => {
				try {
					parsed ??= parseTemplate(template, {
						name,
						associated,
						functions: alertmanagerFunctions({ html, language, now: world.now }),
						...(html ? { escaper: htmlOutput } : {}),
					});
					const text = await parsed.execute(alertmanagerData(notification, { language, externalUrl, possibleDuplicate }));
					if (mayBeEmpty || text.trim() !== '') return size === undefined ? text : shorten(text, size.limit, size.measure);
					world.onError(channel, `${name}: the template gave an empty text`);
				} catch (error) {
					world.onError(channel, errorText(error));
				}
				return null;
			};
		},
	};
}

/** Throws `FN_TEMPLATE_PARSE`. */
export function checkAlertmanagerTemplate({ name, text }: TemplateFile): Template {
	return parseTemplate(text, { name, functions: alertmanagerFunctions(CHECKED) });
}
