import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { decodeOtlpJson, OtlpJsonError } from '../../protocol/otlp/decode-json.ts';
import { decodeOtlpProtobuf } from '../../protocol/otlp/decode-protobuf.ts';
import type { OtlpResourceMetrics } from '../../protocol/otlp/metrics-model.ts';
import { ProtocolError } from '../../protocol/remote-write/protocol-error.ts';

class Reader extends MetricReader {
	protected override async onForceFlush(): Promise<void> {}
	protected override async onShutdown(): Promise<void> {}
}

/** One request with every kind of data point, as the SDK of OpenTelemetry writes it in both encodings. */
export async function someOtlpRequest(): Promise<{ readonly protobuf: Uint8Array; readonly json: string }> {
	const reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.DELTA });
	const provider = new MeterProvider({
		resource: resourceFromAttributes({ 'service.name': '四个九', big: 2 ** 40, list: [1, 2.5], nothing: '' }),
		readers: [reader],
		views: [{ instrumentName: 'exp', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
	});
	const meter = provider.getMeter('scope', '1');
	meter.createCounter('counter', { unit: 'By', description: 'What.' }).add(7, { a: 'b', n: -3 });
	meter.createUpDownCounter('updown').add(-1.5);
	meter.createGauge('gauge').record(Number.NaN, { deep: 'x'.repeat(200) });
	meter.createHistogram('histogram').record(42, { route: '/a' });
	meter.createHistogram('exp').record(42);
	const { resourceMetrics } = await reader.collect();
	const [protobuf, json] = [
		ProtobufMetricsSerializer.serializeRequest(resourceMetrics),
		JsonMetricsSerializer.serializeRequest(resourceMetrics),
	];
	await provider.shutdown();
	if (protobuf === undefined || json === undefined) throw new Error('the SDK wrote nothing');
	return { protobuf, json: Buffer.from(json).toString('utf8') };
}

/** Feeds both decoders damaged requests; they may take or refuse them, and nothing else. Returns how many were taken. */
export async function otlpMutationRounds(rounds: number): Promise<number> {
	const { protobuf, json } = await someOtlpRequest();
	let state = 99;
	const random = (below: number) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
		return (state >> 8) % below;
	};
	let taken = 0;
	for (let round = 0; round < rounds; round++) {
		const body = [...(round % 4 === 0 ? Buffer.from(json) : protobuf)];
		for (let i = 1 + random(3); i > 0; i--) {
			const at = random(body.length);
			if (random(3) === 0) body.splice(at, random(8));
			else if (random(2) === 0) body.splice(at, 0, ...body.slice(at, at + random(40)));
			else body[at] = random(256);
		}
		try {
			if (round % 4 === 0) decodeOtlpJson(Buffer.from(body).toString('utf8'));
			else readAll(decodeOtlpProtobuf(Uint8Array.from(body)));
			taken++;
		} catch (error) {
			if (!(error instanceof ProtocolError) && !(error instanceof OtlpJsonError)) throw error;
		}
	}
	return taken;
}

/** Attributes of points are decoded when they are read. */
function readAll(resources: readonly OtlpResourceMetrics[]): void {
	for (const { metrics } of resources) {
		for (const { data } of metrics) if ('points' in data) for (const point of data.points) void point.attributes.length;
	}
}
