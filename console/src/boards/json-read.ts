/** Careful looks into JSON that anybody may have written. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function asList(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

export function asText(value: unknown, byDefault = ''): string {
	return typeof value === 'string' ? value : byDefault;
}

export function asNumber(value: unknown): number | null {
	return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function asFlag(value: unknown, byDefault = false): boolean {
	return typeof value === 'boolean' ? value : byDefault;
}
