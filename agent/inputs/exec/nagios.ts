import { FamilySet, type MetricFamily } from '../input.ts';

const MOST_PERFORMANCE_VALUES = 100;
/** Units of the plug-in guidelines, as factors to base units and the name of that unit. */
const UNITS: Readonly<Record<string, { readonly unit: string; readonly factor: number }>> = {
	'': { unit: '', factor: 1 },
	s: { unit: 'seconds', factor: 1 },
	ms: { unit: 'seconds', factor: 1e-3 },
	us: { unit: 'seconds', factor: 1e-6 },
	'%': { unit: 'percent', factor: 1 },
	B: { unit: 'bytes', factor: 1 },
	KB: { unit: 'bytes', factor: 1024 },
	MB: { unit: 'bytes', factor: 1024 ** 2 },
	GB: { unit: 'bytes', factor: 1024 ** 3 },
	TB: { unit: 'bytes', factor: 1024 ** 4 },
	c: { unit: 'count', factor: 1 },
};

/**
 * Exit code and output of a Nagios plug-in as metrics (https://www.monitoring-plugins.org/doc/guidelines.html, "Plugin Output"):
 * 0 OK, 1 warning, 2 critical, anything else 3 unknown.
 */
export function nagiosFamilies(exitCode: number | null, output: string): readonly MetricFamily[] {
	const families = new FamilySet();
	const state = exitCode === 0 || exitCode === 1 || exitCode === 2 ? exitCode : 3;
	families.gauge('nagios_plugin_state', 'State of the plug-in: 0 OK, 1 warning, 2 critical, 3 unknown.', state);
	let count = 0;
	for (const line of output.split('\n')) {
		const bar = line.indexOf('|');
		if (bar < 0) continue;
		for (const match of line.slice(bar + 1).matchAll(/(?:'((?:[^']|'')+)'|([^\s='|]+))=(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)([a-zA-Z%]*)/g)) {
			const [, quoted, plain, number, unit] = match;
			const known = UNITS[unit ?? ''];
			const value = Number(number);
			if (known === undefined || Number.isNaN(value) || ++count > MOST_PERFORMANCE_VALUES) continue;
			const label = (quoted ?? plain ?? '').replace(/''/g, "'");
			families.gauge('nagios_plugin_performance', 'A performance value of the plug-in, in base units.', value * known.factor, [
				...['label', label],
				...(known.unit === '' ? [] : ['unit', known.unit]),
			]);
		}
	}
	return families.list();
}
