import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../core/clock.ts';
import type { MetadataSource } from '../../storage/storage.ts';
import { sendData } from './answers.ts';
import { Parameters } from './parameters.ts';

/** Clients switch features on by this version of Prometheus: the one whose language and API these are. */
const PROMETHEUS_VERSION = '3.5.0';

export interface StoreStatus {
	readonly series: number;
	readonly chunks: number;
	readonly minTimeMs: number;
	readonly maxTimeMs: number;
}

export interface StatusServices {
	readonly clock: Clock;
	readonly metadata: MetadataSource;
	readonly storeStatus: () => StoreStatus;
	/** How long samples are kept, as text: `15d`. */
	readonly retention: string;
	readonly version: string;
	/** What is scraped, in the shape of Prometheus' answer. */
	readonly targets: () => object;
}

/** Metadata, targets and `status/*`. */
export function registerStatusRoutes(app: FastifyInstance, services: StatusServices): void {
	const startedMs = services.clock.now();

	app.get('/api/v1/metadata', async (request, reply) => {
		const parameters = new Parameters(request);
		const metric = parameters.one('metric');
		const limit = parameters.limit();
		const data: Record<string, readonly object[]> = {};
		let count = 0;
		for (const [name, entry] of services.metadata.metadata(metric === '' ? undefined : metric)) {
			if (limit > 0 && count >= limit) break;
			data[name] = [{ type: entry.type, help: entry.help, unit: entry.unit }];
			count += 1;
		}
		return sendData(reply, data);
	});

	app.get('/api/v1/targets', async (_request, reply) => sendData(reply, services.targets()));
	app.get('/api/v1/targets/metadata', async (_request, reply) => sendData(reply, []));
	app.get('/api/v1/alertmanagers', async (_request, reply) => sendData(reply, { activeAlertmanagers: [], droppedAlertmanagers: [] }));

	app.get('/api/v1/status/buildinfo', async (_request, reply) =>
		sendData(reply, {
			version: PROMETHEUS_VERSION,
			revision: `fournines-${services.version}`,
			branch: '',
			buildUser: '',
			buildDate: '',
			goVersion: '',
		}),
	);

	app.get('/api/v1/status/runtimeinfo', async (_request, reply) => {
		const { series } = services.storeStatus();
		return sendData(reply, {
			startTime: new Date(startedMs).toISOString(),
			CWD: '',
			reloadConfigSuccess: true,
			lastConfigTime: new Date(startedMs).toISOString(),
			timeSeriesCount: series,
			corruptionCount: 0,
			goroutineCount: 0,
			GOMAXPROCS: 0,
			GOGC: '',
			GODEBUG: '',
			storageRetention: services.retention,
		});
	});

	// The configuration may name places of secrets and is not shown here; the product's own API has a redacted one.
	app.get('/api/v1/status/config', async (_request, reply) => sendData(reply, { yaml: '' }));
	app.get('/api/v1/status/flags', async (_request, reply) => sendData(reply, {}));

	app.get('/api/v1/status/tsdb', async (_request, reply) => {
		const { series, chunks, minTimeMs, maxTimeMs } = services.storeStatus();
		return sendData(reply, {
			headStats: { numSeries: series, numLabelPairs: 0, chunkCount: chunks, minTime: minTimeMs, maxTime: maxTimeMs },
			seriesCountByMetricName: [],
			labelValueCountByLabelName: [],
			memoryInBytesByLabelName: [],
			seriesCountByLabelValuePair: [],
		});
	});
}
