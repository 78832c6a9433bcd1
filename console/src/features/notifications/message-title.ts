/** The line by which a message is told from others; `''` where its text has none, as that of a program's own format. */
export function messageTitle(text: string): string {
	return text.trimStart().startsWith('{') ? titleOfJson(text) : firstLine(text);
}

/** The first line of a message without the channel's own marks: group robots take Markdown with `<font>`. */
function firstLine(text: string): string {
	const line = text.split('\n').find((each) => each.trim() !== '') ?? '';
	return line.replace(/<[^<>]*>|\*\*/g, '').trim();
}

/** What Alertmanager's webhook format is about: the summary that all its alerts share, or the first one's. */
function titleOfJson(text: string): string {
	const body = object(parsed(text));
	const [first] = Array.isArray(body['alerts']) ? (body['alerts'] as readonly unknown[]) : [];
	const named = [body['commonAnnotations'], object(first)['annotations']].map((annotations) => object(annotations)['summary']);
	const found = [...named, object(body['commonLabels'])['alertname']].find((value) => typeof value === 'string' && value !== '');
	return typeof found === 'string' ? found : '';
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// Cut off where it was too long to keep.
		return null;
	}
}

function object(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** JSON with line breaks, everything else as it is. */
export function readableText(text: string): string {
	const value = text.trimStart().startsWith('{') ? parsed(text) : null;
	return value === null ? text : JSON.stringify(value, null, 2);
}
