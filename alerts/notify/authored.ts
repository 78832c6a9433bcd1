import type { Language } from '../templates/language.ts';
import { phrases } from '../templates/phrases.ts';

/** A text of the configuration that is a template in Alertmanager's language. */
export interface AuthoredText {
	readonly path: readonly (string | number)[];
	readonly text: string;
}

/** A text that its author did not prepare for a second copy says in front that it may be one. */
export function marked(text: string, possibleDuplicate: boolean, language: Language): string {
	if (!possibleDuplicate) return text;
	const { open, possibleDuplicate: mark, close } = phrases(language);
	return `${open}${mark}${close}${text}`;
}
