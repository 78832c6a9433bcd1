export const PLACEHOLDERS = ['content', 'phones', 'phone', 'id', 'number', 'unix', 'unix_ms', 'datetime'] as const;

const PLACEHOLDER = /\{([a-z_]+(?:\.[A-Za-z0-9_-]+)?)\}/g;

export function placeholderNames(text: string): readonly string[] {
	return [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
}

/** Replaces every placeholder in one pass, so that braces inside a message are never taken for one. */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
	return text.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole);
}
