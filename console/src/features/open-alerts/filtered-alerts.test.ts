import { expect, test } from 'vitest';
import { filteredAlerts } from './filtered-alerts.ts';

const alert = (fingerprint: string, severity: string, host: string, suppressed = false) => ({
	fingerprint,
	labels: { alertname: 'DiskFull', severity, host },
	annotations: { summary: `磁盘将满 ${host}` },
	startsAtMs: 0,
	suppressed,
});
const alerts = [
	alert('1', 'critical', 'app-1', true),
	alert('2', 'critical', 'db-1'),
	alert('3', 'warning', 'app-1'),
	alert('4', 'page', 'app-2'),
];

test.each([
	{ name: 'nothing, held back ones last', filter: {}, want: '2341' },
	{ name: 'severity', filter: { severity: 'critical' }, want: '21' },
	{ name: 'a severity of somebody else as other', filter: { severity: 'other' }, want: '4' },
	{ name: 'a label with its name', filter: { text: 'host=app-1' }, want: '31' },
	{ name: 'words of several places, in any case', filter: { text: 'diskfull  磁盘将满 DB' }, want: '2' },
	{ name: 'words of which one is nowhere', filter: { text: 'app-1 nginx' }, want: '' },
	{ name: 'what is not held back', filter: { severity: 'critical', withHeld: false }, want: '2' },
])('alerts are found by $name', ({ filter, want }) => {
	const found = filteredAlerts(alerts, { severity: '', text: '', withHeld: true, ...filter });
	expect(found.map(({ fingerprint }) => fingerprint).join('')).toBe(want);
});
