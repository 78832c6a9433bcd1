import type { Logger } from '../core/log.ts';
import { noTracing, type Tracing } from '../core/tracing.ts';

/** Variables that mean somebody wants traces; see the OpenTelemetry environment specification. */
const WANTED = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'];

/** Loads the OpenTelemetry SDK only when the environment asks for it: it costs tens of megabytes and a second of start-up. */
export async function startTracing(
	env: Readonly<Record<string, string | undefined>>,
	options: { readonly version: string; readonly log: Logger },
): Promise<Tracing> {
	const wanted = WANTED.some((name) => (env[name] ?? '') !== '' && env[name] !== 'none');
	if (!wanted || env['OTEL_SDK_DISABLED'] === 'true') return noTracing;
	const { NodeSDK } = await import('@opentelemetry/sdk-node');
	const { SpanStatusCode, trace } = await import('@opentelemetry/api');
	// Metrics have their own way, and the SDK would start a second one.
	const sdk = new NodeSDK({ serviceName: env['OTEL_SERVICE_NAME'] ?? 'fournines-collector', instrumentations: [] });
	sdk.start();
	options.log.info({}, 'traces are sent as OTEL_* says');
	const tracer = trace.getTracer('fournines', options.version);
	return {
		span: (name, attributes, work) =>
			tracer.startActiveSpan(name, { attributes: { ...attributes } }, async (span) => {
				try {
					return await work();
				} catch (error) {
					span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
					throw error;
				} finally {
					span.end();
				}
			}),
		stop: () => sdk.shutdown(),
	};
}
