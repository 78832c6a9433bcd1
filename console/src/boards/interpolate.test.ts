import { expect, test } from 'vitest';
import { interpolate, type VariableValue } from './interpolate.ts';
import { ALL, readVariable } from './variable.ts';

function value(json: object, values: readonly string[], options: readonly string[] = values): VariableValue {
	return { variable: readVariable(json), options: options.map((each) => ({ text: each, value: each })), values };
}

const scope = {
	host: value({ name: 'host', type: 'query' }, ['app-2']),
	path: value({ name: 'path', type: 'query' }, ['a"b\\c']),
	instance: value({ name: 'instance', type: 'query', multi: true, includeAll: true }, ['10.0.0.1:3306', 'db(2)']),
	one: value({ name: 'one', type: 'query', multi: true }, ['10.0.0.1:3306']),
	every: value({ name: 'every', type: 'query', multi: true, includeAll: true }, [ALL], ['a', 'b']),
	open: value({ name: 'open', type: 'query', includeAll: true, allValue: '.*' }, [ALL], ['a', 'b']),
};

test.each([
	{ text: 'up{instance="$host"}', shown: 'up{instance="app-2"}' },
	// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's notation of a variable
	{ text: 'up{instance="${host}"}', shown: 'up{instance="app-2"}' },
	{ text: 'up{instance="[[host]]"}', shown: 'up{instance="app-2"}' },
	{ text: 'up{path="$path"}', shown: 'up{path="a\\"b\\\\c"}' },
	{ text: 'up{instance=~"$instance"}', shown: 'up{instance=~"(10\\\\.0\\\\.0\\\\.1:3306|db\\\\(2\\\\))"}' },
	{ text: 'up{instance=~"$one"}', shown: 'up{instance=~"10\\\\.0\\\\.0\\\\.1:3306"}' },
	{ text: 'up{instance=~"$every"}', shown: 'up{instance=~"(a|b)"}' },
	{ text: 'up{instance=~"$open"}', shown: 'up{instance=~".*"}' },
	// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's notation of a variable
	{ text: '${instance:pipe} ${instance:csv} ${host:raw}', shown: '10.0.0.1:3306|db(2) 10.0.0.1:3306,db(2) app-2' },
	{ text: 'rate(x[$__rate_interval])', shown: 'rate(x[1m])' },
	{ text: 'label_replace(x, "a", "$1", "b", "$unknown")', shown: 'label_replace(x, "a", "$1", "b", "$unknown")' },
])('$text', ({ text, shown }) => {
	expect(interpolate(text, scope, { __rate_interval: '1m' })).toBe(shown);
});
