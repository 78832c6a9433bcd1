import type { ConfigProblem } from '../core/config-file.ts';
import type { CollectorConfig } from './config.ts';
import { hasCalendar } from './inventory/calendar.ts';
import type { InventoryConfig } from './inventory/config.ts';
import type { KnownProfiles } from './known-profiles.ts';

/**
 * What the rest of a configuration lacks in an edited inventory: contracts that no profile has, and calendars that thresholds ask for.
 * Taken as it is, such an edit would keep the next start from coming up.
 */
export function inventoryProblems(
	inventory: InventoryConfig,
	{ rules }: Pick<CollectorConfig, 'rules'>,
	profiles: Pick<KnownProfiles, 'problems'>,
): readonly ConfigProblem[] {
	const calendars = rules.thresholds.flatMap(({ rule, during, outside }) =>
		[during, outside].flatMap((id) => (id === undefined || hasCalendar(inventory, id) ? [] : [{ rule, id }])),
	);
	return [
		...profiles.problems(inventory),
		...calendars.map(({ rule, id }) => ({
			file: 'inventory',
			line: 0,
			path: 'calendars',
			message: `rules.thresholds asks for the calendar "${id}" for the alert "${rule}"; change it there first`,
		})),
	];
}
