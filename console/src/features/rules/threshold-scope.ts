/** For whom a threshold is: `''` for all. */
export interface ThresholdScope {
	readonly host: string;
	readonly system: string;
}

/** The line of `rules.thresholds` that sets it, as YAML in one line. */
export function thresholdLine(rule: string, value: number, { host, system }: ThresholdScope): string {
	const keys = [`rule: ${rule}`, `value: ${value}`];
	if (host !== '') keys.push(`host: ${yamlText(host)}`);
	if (system !== '') keys.push(`system: ${yamlText(system)}`);
	return `- { ${keys.join(', ')} }`;
}

/** A word stands as it is; what YAML could read as something else is quoted, as JSON is quoted. */
function yamlText(text: string): string {
	const plain = /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(text) && !/^(true|false|null|y|n|yes|no|on|off)$/i.test(text);
	return plain ? text : JSON.stringify(text);
}

/** Whether a result is one of those that the threshold is for. */
export function isInScope(labels: Readonly<Record<string, string>>, { host, system }: ThresholdScope): boolean {
	return (host === '' || labels['host'] === host) && (system === '' || labels['system'] === system);
}

/** A template without what is filled in when an alert fires: `主机 {{ $labels.host }} 忙` → `主机 … 忙`. */
export function withoutHoles(template: string): string {
	return template.replaceAll(/\s*\{\{.*?\}\}\s*/gs, ' … ').trim();
}
