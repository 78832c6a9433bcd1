import { configOrThrow, loadConfigFile, parseConfig } from '../core/config-file.ts';
import { type CollectorConfig, CollectorConfigSchema, checkCollectorConfig } from './config.ts';

export interface ConfigPlace {
	/** `collector.yml`; `null` runs on the defaults. */
	readonly configFile: string | null;
	/** Instead of an empty file when there is none. */
	readonly defaultConfig?: string;
}

/** Reads and checks a collector's configuration. Throws `FN_CONFIG_INVALID` with every problem. */
export function readConfig({ configFile, defaultConfig = '' }: ConfigPlace): CollectorConfig {
	if (configFile !== null) return configOrThrow(loadConfigFile(configFile, CollectorConfigSchema, checkCollectorConfig));
	const file = 'built-in configuration';
	return configOrThrow(parseConfig(defaultConfig, { file, schema: CollectorConfigSchema, check: checkCollectorConfig }));
}
