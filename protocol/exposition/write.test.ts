import { expect, test } from 'vitest';
import { formatSampleValue, writeExposition } from './write.ts';

test('help, type, escapes and names of parts', () => {
	const text = writeExposition([
		{
			name: 'm',
			type: 'gauge',
			help: 'a\\b\nc "d"',
			samples: [
				{ labels: ['__name__', 'm', 'path', 'C:\\x\n"y"'], value: 1.5 },
				{ labels: ['__name__', 'm'], value: Number.NaN, timestampMs: 12 },
			],
		},
		{ name: 'h', type: 'histogram', help: '', samples: [{ labels: ['__name__', 'h_bucket', 'le', '+Inf'], value: 3 }] },
		{ name: 'i', type: 'info', help: '', samples: [] },
	]);
	expect(text).toBe(
		'# HELP m a\\\\b\\nc "d"\n# TYPE m gauge\nm{path="C:\\\\x\\n\\"y\\""} 1.5\nm NaN 12\n' +
			'# TYPE h histogram\nh_bucket{le="+Inf"} 3\n# TYPE i gauge\n',
	);
});

test.each([
	[Infinity, '+Inf'],
	[-Infinity, '-Inf'],
	[-0, '-0'],
	[1e21, '1e+21'],
	[0.1, '0.1'],
])('%d is written %s', (value, text) => {
	expect(formatSampleValue(value)).toBe(text);
});
