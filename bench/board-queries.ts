import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Panel {
	readonly title?: string;
	readonly targets?: readonly { readonly expr?: string }[];
	readonly panels?: readonly Panel[];
}

/**
 * Every query of the shipped boards, by board and panel. Variables are put in as a viewer would: the first host, all of anything else,
 * and a rate interval of four scrapes, at least five minutes.
 */
export function shippedBoardQueries(host: string): ReadonlyMap<string, string> {
	const folder = join(import.meta.dirname, '../dashboards');
	const queries = new Map<string, string>();
	for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
		const board = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Panel;
		const collect = (panels: readonly Panel[]) => {
			for (const { title = '', targets = [], panels: inner = [] } of panels) {
				targets.forEach(({ expr = '' }, i) => {
					if (expr !== '') queries.set(`${file.replace('.json', '')}: ${title}${i === 0 ? '' : ` ${i + 1}`}`, filled(expr, host));
				});
				collect(inner);
			}
		};
		collect(board.panels ?? []);
	}
	return queries;
}

function filled(expr: string, host: string): string {
	return expr
		.replaceAll('$__rate_interval', '5m')
		.replaceAll('$__interval', '1m')
		.replaceAll('$__range', '1h')
		.replaceAll(/="\$\{?host\}?"/g, `="${host}"`)
		.replaceAll(/\$\{\w+(:\w+)?\}|\$\w+/g, '.*');
}
