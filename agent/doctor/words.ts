export type Language = 'zh' | 'en';

/** A sentence for people in both languages. What they type (statements, paths) is the same in both. */
export interface Words {
	readonly zh: string;
	readonly en: string;
}

export function words(zh: string, en: string): Words {
	return { zh, en };
}
