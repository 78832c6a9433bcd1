import { describe, expect, test } from 'vitest';
import { alertTemplateData, parseRuleTemplate } from './rule-template.ts';

const services = {
	externalUrl: 'http://monitor.example/base/',
	query: async (expression: string) =>
		expression === 'none'
			? []
			: [
					{ Labels: new Map([['host', 'b']]), Value: 2 },
					{ Labels: new Map([['host', 'a']]), Value: 1 },
				],
};
const data = alertTemplateData({
	labels: ['instance', 'db-1.example.com:3306'],
	value: 0.123456,
	externalLabels: { site: 'chengdu' },
	externalUrl: 'http://monitor.example/base/',
});
const run = (text: string) => parseRuleTemplate(text, 'A', services).execute(data);

describe("rule templates have Prometheus' functions", () => {
	test.each([
		[
			'{{ $labels.instance }} {{ $value }} {{ $externalLabels.site }} {{ $externalURL }}',
			'db-1.example.com:3306 0.123456 chengdu http://monitor.example/base/',
		],
		['{{ humanize 1234567 }} {{ humanize 0.00123 }} {{ humanize 0 }} {{ humanize -2000 }}', '1.235M 1.23m 0 -2k'],
		['{{ humanize1024 1048576 }} {{ humanize1024 0.5 }}', '1Mi 0.5'],
		[
			'{{ humanizeDuration 0 }} {{ humanizeDuration 59.5 }} {{ humanizeDuration 3661 }} {{ humanizeDuration 90000 }} {{ humanizeDuration 0.0012 }} {{ humanizeDuration -61 }}',
			'0s 59.5s 1h 1m 1s 1d 1h 0m 0s 1.2ms -1m 1s',
		],
		['{{ humanizePercentage 0.12345 }} {{ $value | humanizePercentage }}', '12.35% 12.35%'],
		[
			'{{ humanizeTimestamp 1445412480 }} {{ humanizeTimestamp 1445412480.25 }}',
			'2015-10-21 07:28:00 +0000 UTC 2015-10-21 07:28:00.25 +0000 UTC',
		],
		['{{ title "an aa" }} {{ toUpper "x" }} {{ toLower "X" }}', 'An Aa X x'],
		[
			'{{ stripPort "a:1" }} {{ stripPort "[::1]:80" }} {{ stripPort "a" }} {{ stripDomain "db.example.com:80" }} {{ stripDomain "10.0.0.1:80" }}',
			'a ::1 a db:80 10.0.0.1:80',
		],
		['{{ reReplaceAll "(.*)\\\\.example.*" "$1" $labels.instance }} {{ match "d.-1" "xdb-1" }}', 'db-1 true'],
		['{{ range query "x" | sortByLabel "host" }}{{ label "host" . }}={{ value . }} {{ end }}', 'a=1 b=2 '],
		['{{ with query "none" }}some{{ else }}none{{ end }} {{ query "x" | first | value }}', 'none 2'],
		['{{ with args 1 "b" }}{{ .arg0 }}{{ .arg1 }}{{ end }}', '1b'],
		['{{ parseDuration "1h30m" }}', '5400'],
		[
			'{{ tableLink "up == 0" }} {{ graphLink "up" }} {{ pathPrefix }}',
			'/graph?g0.expr=up+%3D%3D+0&g0.tab=1 /graph?g0.expr=up&g0.tab=0 /base',
		],
		['{{ (toTime 0) }}', '1970-01-01T00:00:00.000Z'],
	])('%s', async (text, want) => {
		expect(await run(text)).toBe(want);
	});
});
