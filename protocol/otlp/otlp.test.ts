import fc from 'fast-check';
import { expect, test } from 'vitest';
import { otlpMutationRounds, someOtlpRequest } from '../../tests/harness/otlp-mutations.ts';
import { otlpSuccessProtobuf } from './answer.ts';
import { decodeOtlpJson } from './decode-json.ts';
import { decodeOtlpProtobuf } from './decode-protobuf.ts';
import type { OtlpPoint, OtlpResourceMetrics } from './metrics-model.ts';
import { prometheusLabel, prometheusName, prometheusUnit } from './prometheus-names.ts';
import { nanosToMs, withCursor } from './protobuf-fields.ts';

test('both encodings of the same request mean the same', async () => {
	const { protobuf, json } = await someOtlpRequest();
	const decoded = decodeOtlpProtobuf(protobuf);
	expect(plain(decodeOtlpJson(json))).toEqual(plain(decoded));
	expect(decoded[0]?.metrics.map(({ data }) => data.kind).sort()).toEqual(['exponential_histogram', 'gauge', 'histogram', 'sum', 'sum']);
	expect(decoded[0]?.resource).toContainEqual(['service.name', '四个九']);
	expect(decoded[0]?.resource).toContainEqual(['big', '1099511627776']);
	expect(decoded[0]?.resource).toContainEqual(['list', '[1,2.5]']);
	expect(decoded[0]?.metrics.find(({ name }) => name === 'counter')).toMatchObject({
		name: 'counter',
		description: 'What.',
		unit: 'By',
		data: {
			temporality: 'delta',
			monotonic: true,
			points: [
				{
					value: 7,
					attributes: [
						['a', 'b'],
						['n', '-3'],
					],
				},
			],
		},
	});
});

/** What a request says, whether its attributes are decoded by now or not. */
function plain(resources: readonly OtlpResourceMetrics[]): unknown {
	return resources.map(({ resource, metrics }) => ({
		resource,
		metrics: metrics.map(({ data, ...metric }) => ({
			...metric,
			data: 'points' in data ? { ...data, points: data.points.map((point) => plainPoint(point)) } : data,
		})),
	}));
}

function plainPoint(point: OtlpPoint): unknown {
	const { wire: _, wireStart: _from, wireEnd: _to, ...own } = point;
	return { ...own, attributes: point.attributes };
}

test('attributes with other fields in between are the same attributes', () => {
	const attribute = (key: string, value: string) => [0x3a, 8, 0x0a, 1, key.charCodeAt(0), 0x12, 3, 0x0a, 1, value.charCodeAt(0)];
	const value = [0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
	const points = [
		[...attribute('a', 'x'), ...attribute('b', 'y'), ...value],
		[...attribute('a', 'x'), ...value, ...attribute('b', 'y')],
		// The tag of the second attribute is a byte longer than it must be.
		[...attribute('a', 'x'), 0xba, 0x00, ...attribute('b', 'y').slice(1), ...value],
	].map((point) => {
		const inner = [0x0a, point.length, ...point];
		const request = [0x0a, inner.length + 6, 0x12, inner.length + 4, 0x12, inner.length + 2, 0x2a, inner.length, ...inner];
		const data = decodeOtlpProtobuf(Uint8Array.from(request))[0]?.metrics[0]?.data;
		return data?.kind === 'gauge' ? data.points[0] : undefined;
	});
	for (const point of points) {
		expect(point?.value).toBe(1);
		expect(point?.attributes).toEqual([
			['a', 'x'],
			['b', 'y'],
		]);
	}
});

test('a time in nanoseconds is rounded down exactly', () => {
	fc.assert(
		fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (nanoseconds) => {
			const body = new Uint8Array(8);
			new DataView(body.buffer).setBigUint64(0, nanoseconds, true);
			expect(withCursor(body, () => nanosToMs(8))).toBe(Number(nanoseconds / 1_000_000n));
		}),
	);
});

test('integers and doubles are exact to the last bit that a double has', () => {
	const point = (field: number, ...bytes: number[]) => [0x0a, 9, field, ...bytes];
	const request = (inner: number[]) =>
		Uint8Array.from([0x0a, inner.length + 6, 0x12, inner.length + 4, 0x12, inner.length + 2, 0x2a, inner.length, ...inner]);
	const value = (inner: number[]) => {
		const data = decodeOtlpProtobuf(request(inner))[0]?.metrics[0]?.data;
		return data?.kind === 'gauge' ? data.points[0]?.value : undefined;
	};
	expect(value(point(0x31, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toBe(-1);
	expect(value(point(0x31, 1, 0, 0, 0, 0, 0, 0x20, 0))).toBe(9_007_199_254_740_992);
	expect(value(point(0x21, 0, 0, 0, 0, 0, 0, 0, 0x80))).toBe(-0);
});

test.each([
	{ name: 'http.server.duration', unit: 's', kind: 'other', is: 'http_server_duration_seconds' },
	{ name: 'http.server.requests', unit: '{request}', kind: 'counter', is: 'http_server_requests_total' },
	{ name: 'system.filesystem.usage', unit: 'By', kind: 'gauge', is: 'system_filesystem_usage_bytes' },
	{ name: 'system.network.dropped', unit: 'packets', kind: 'gauge', is: 'system_network_dropped_packets' },
	{ name: 'system.memory.utilization', unit: '1', kind: 'gauge', is: 'system_memory_utilization_ratio' },
	{ name: 'things', unit: '1', kind: 'counter', is: 'things_total' },
	{ name: 'astro.light.speed', unit: 'm/s', kind: 'gauge', is: 'astro_light_speed_meters_per_second' },
	{ name: 'rate', unit: '{packet}/s', kind: 'gauge', is: 'rate_per_second' },
	{ name: 'total.bytes', unit: 'By', kind: 'counter', is: 'bytes_total' },
	{ name: '(lambda).function.executions(#)', unit: '1', kind: 'other', is: 'lambda_function_executions' },
	{ name: '3com', unit: '', kind: 'other', is: '_3com' },
	{ name: 'a__b', unit: '', kind: 'other', is: 'a_b' },
	{ name: '…', unit: 's', kind: 'other', is: '' },
] as const)('$name in $unit is $is', ({ name, unit, kind, is }) => {
	expect(prometheusName(name, unit, kind)).toBe(is);
});

test.each([
	['http.method', 'http_method'],
	['9x', 'key_9x'],
	['_x', 'key_x'],
	['__x', '__x'],
	['名', 'key_'],
])('the attribute %s is the label %s', (key, label) => {
	expect(prometheusLabel(key)).toBe(label);
});

test.each([
	['By', 'bytes'],
	['By/s', 'bytes_per_second'],
	['{x}/min', 'per_minute'],
	['1', ''],
])('the unit %s is %s', (unit, text) => {
	expect(prometheusUnit(unit)).toBe(text);
});

test('an answer of partial success, byte by byte', () => {
	expect([...otlpSuccessProtobuf({ rejectedPoints: 300, message: 'é' })]).toEqual([0x0a, 7, 0x08, 0xac, 0x02, 0x12, 2, 0xc3, 0xa9]);
});

test('2,000 damaged requests are taken or refused, and nothing else happens', async () => {
	expect(await otlpMutationRounds(2000)).toBeGreaterThan(20);
});
