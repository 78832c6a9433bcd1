import { join } from 'node:path';
import { Registry } from 'prom-client';
import { type Alerting, createAlerting } from '../../alerts/alerting.ts';
import { checkAlertsConfig } from '../../alerts/check-config.ts';
import { type AlertsConfig, AlertsConfigSchema } from '../../alerts/config.ts';
import type { Topology } from '../../alerts/inhibit/topology.ts';
import type { OnCallWorld } from '../../alerts/on-call.ts';
import type { AlertingPorts } from '../../alerts/ports.ts';
import type { MaintenanceHold } from '../../alerts/stages/mute.ts';
import { createAlertingPorts } from '../../collector/state/alerting-ports.ts';
import { openStateDatabase, type StateDatabase } from '../../collector/state/database.ts';
import type { Clock } from '../../core/clock.ts';
import { configOrThrow, parseConfig } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import { resolveSecret, Secret } from '../../core/secret.ts';
import type { PostedAlert } from '../../protocol/alert.ts';

export function alertsConfig(yaml: string, folder = '.'): AlertsConfig {
	return configOrThrow(parseConfig(yaml, { file: join(folder, 'collector.yml'), schema: AlertsConfigSchema, check: checkAlertsConfig }));
}

export interface RunningAlerting {
	readonly alerting: Alerting;
	readonly state: StateDatabase;
	readonly metrics: Registry;
	stop(): Promise<void>;
}

/** The pipeline on a real state database in `folder`; started, as the collector would start it. */
export async function startAlerting(options: {
	readonly folder: string;
	readonly config: string;
	readonly clock: Clock;
	readonly secrets?: Readonly<Record<string, string>>;
	/** Where relative names of template files start. */
	readonly configFolder?: string;
	readonly topology?: Topology;
	readonly ports?: (ports: AlertingPorts) => AlertingPorts;
	/** What on-call knows of the rest of the product. */
	readonly onCall?: Partial<OnCallWorld>;
	readonly maintenance?: MaintenanceHold;
	readonly log?: Logger;
}): Promise<RunningAlerting> {
	const state = await openStateDatabase(options.folder);
	const ports = createAlertingPorts(state);
	const metrics = new Registry();
	const alerting = await createAlerting({
		config: alertsConfig(options.config, options.configFolder),
		...(options.configFolder === undefined ? {} : { configFolder: options.configFolder }),
		ports: options.ports?.(ports) ?? ports,
		clock: options.clock,
		log: options.log ?? silentLogger,
		metrics,
		http: httpExchange,
		secret: (ref) => resolveSecret(ref, options.secrets ?? {}),
		externalUrl: 'http://collector.example:9999',
		...(options.topology === undefined ? {} : { topology: () => options.topology as Topology }),
		onCall: { ackKey: new Secret('a key of this test'), ...options.onCall },
		...(options.maintenance === undefined ? {} : { maintenance: options.maintenance }),
	});
	await alerting.start();
	return {
		alerting,
		state,
		metrics,
		stop: async () => {
			await alerting.stop();
			await state.destroy();
		},
	};
}

/** An alert as a rule of ours posts it. */
export function postedAlert(
	labels: Readonly<Record<string, string>>,
	times: { readonly startsAtMs: number; readonly endsAtMs?: number | null },
	annotations: Readonly<Record<string, string>> = {},
): PostedAlert {
	return { labels, annotations, startsAtMs: times.startsAtMs, endsAtMs: times.endsAtMs ?? null, generatorUrl: '' };
}
