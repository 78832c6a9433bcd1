import { describe, expect, test } from 'vitest';
import { formatLabels } from '../../core/labels.ts';
import { decodeLabelBytes } from '../storage/label-bytes.ts';
import { OtlpLabelCache } from './otlp-label-cache.ts';
import type { OtlpSeries, OtlpSeriesRole } from './otlp-series.ts';

/** A point whose attributes can be counted, and whose wire bytes say which they are. */
function point(wire: string | null, attributes: readonly (readonly [string, string])[]) {
	const bytes = wire === null ? null : Buffer.from(`##${wire}##`);
	return {
		reads: 0,
		wire: bytes,
		wireStart: 2,
		wireEnd: (bytes?.length ?? 4) - 2,
		get attributes() {
			this.reads++;
			return attributes;
		},
	};
}

function series(of: ReturnType<typeof point>, role: OtlpSeriesRole = 'value', bound = 0, name = 'm'): OtlpSeries {
	return { scope: { name, identity: { job: 'j' } }, point: of, role, bound };
}

function labelsOf(cache: OtlpLabelCache, of: OtlpSeries): string {
	const target = new Uint8Array(4096);
	const end = cache.write(of, cache.scopeNumber(of.scope), () => ({ target, start: 7 }));
	return formatLabels(decodeLabelBytes(target, 7, end));
}

describe('the label bytes of a known series', () => {
	test('are found without a look at its attributes', () => {
		const cache = new OtlpLabelCache();
		const first = point('a', [['route', '/a']]);
		const again = point('a', [['route', 'never read']]);
		expect(labelsOf(cache, series(first))).toBe('m{job="j", route="/a"}');
		expect(labelsOf(cache, series(again))).toBe('m{job="j", route="/a"}');
		expect(first.reads).toBe(1);
		expect(again.reads).toBe(0);
	});

	test('are those of this metric, role, bound and these attributes', () => {
		const cache = new OtlpLabelCache();
		const all = () => [
			labelsOf(cache, series(point('a', [['x', 'a']]))),
			labelsOf(cache, series(point('b', [['x', 'b']]))),
			labelsOf(cache, series(point('a', [['x', 'a']]), 'value', 0, 'other')),
			labelsOf(cache, series(point('a', [['x', 'a']]), 'sum')),
			labelsOf(cache, series(point('a', [['x', 'a']]), 'count')),
			labelsOf(cache, series(point('a', [['x', 'a']]), 'bucket', 0.5)),
			labelsOf(cache, series(point('a', [['x', 'a']]), 'bucket', Number.POSITIVE_INFINITY)),
			labelsOf(cache, series(point('a', [['x', 'a']]), 'quantile', 0.5)),
		];
		const expected = [
			'm{job="j", x="a"}',
			'm{job="j", x="b"}',
			'other{job="j", x="a"}',
			'm_sum{job="j", x="a"}',
			'm_count{job="j", x="a"}',
			'm_bucket{job="j", le="0.5", x="a"}',
			'm_bucket{job="j", le="+Inf", x="a"}',
			'm{job="j", quantile="0.5", x="a"}',
		];
		expect(all()).toEqual(expected);
		expect(all()).toEqual(expected);
	});

	test('are made anew each time where the sender wrote no protobuf', () => {
		const cache = new OtlpLabelCache();
		const of = point(null, [['x', 'a']]);
		labelsOf(cache, series(of));
		labelsOf(cache, series(of));
		expect(of.reads).toBe(2);
	});

	test('survive hundreds of thousands of others while they are in use', () => {
		const cache = new OtlpLabelCache();
		const kept = point('kept', [['x', 'kept']]);
		labelsOf(cache, series(kept));
		for (let i = 0; i < 450_000; i++) {
			const wire = Buffer.from(String(i));
			const one = { attributes: [['i', String(i)]] as const, wire, wireStart: 0, wireEnd: wire.length };
			cache.write({ scope: { name: 'm', identity: {} }, point: one, role: 'value', bound: 0 }, 0, room);
			if (i % 50_000 === 0) labelsOf(cache, series(kept));
		}
		expect(labelsOf(cache, series(kept))).toBe('m{job="j", x="kept"}');
		expect(kept.reads).toBe(1);
	});
});

const space = { target: new Uint8Array(256), start: 0 };

function room() {
	return space;
}
