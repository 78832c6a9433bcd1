import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';
import type { AlertRuleListAnswer } from '../protocol/rule-api.ts';
import type { CollectorConfig } from './config.ts';
import { insideHours } from './inventory/calendar.ts';
import { alertRules, thresholdLines } from './ruler/alert-rules.ts';
import type { Ruler } from './ruler/ruler.ts';

/** The alerting rules as they are in force now, and the lines of the configuration file that set their thresholds. */
export async function alertRuleList(sources: {
	readonly ruler: Pick<Ruler, 'groups'>;
	readonly config: CollectorConfig;
	readonly configFile: string | null;
	readonly clock: Clock;
}): Promise<AlertRuleListAnswer> {
	const { ruler, config, configFile, clock } = sources;
	const { thresholds } = config.rules;
	// A file that is gone names no line; the rules are in force all the same.
	const text = configFile === null || thresholds.length === 0 ? '' : await readFile(configFile, 'utf8').catch(() => '');
	return {
		configFile: configFile ?? '',
		rules: alertRules(ruler.groups(), {
			timeMs: clock.now(),
			inCalendar: (id, timeMs) => insideHours(config.inventory, id, timeMs),
			lineOf: thresholdLines(text, thresholds),
		}),
	};
}
