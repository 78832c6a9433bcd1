import { basename, extname } from 'node:path';
import type { LogConfig } from './config.ts';

/** Second half of a stream's name: `auth` for `/var/log/auth.log`. */
export function streamSuffix(config: Pick<LogConfig, 'path' | 'name'>): string {
	return config.name ?? basename(config.path, extname(config.path));
}
