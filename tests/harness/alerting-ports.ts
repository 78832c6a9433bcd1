import type { AlertingPorts } from '../../alerts/ports.ts';
import { createAlertingPorts } from '../../collector/state/alerting-ports.ts';
import { openStateDatabase } from '../../collector/state/database.ts';

export interface OpenPorts extends AlertingPorts {
	close(): Promise<void>;
}

/** What the alert pipeline keeps, in a state database in the folder. */
export async function openAlertingPorts(folder: string): Promise<OpenPorts> {
	const state = await openStateDatabase(folder);
	return { ...createAlertingPorts(state), close: () => state.destroy() };
}
