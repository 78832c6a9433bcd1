import type { AlertingPorts } from '../../alerts/ports.ts';
import { createAlertStore } from './alert-store.ts';
import type { StateDatabase } from './database.ts';
import { createNotificationHistory } from './notification-history.ts';
import { createOutboxStore } from './outbox-store.ts';
import { createSilenceStore } from './silence-store.ts';

/** Everything that the alert pipeline keeps, in the state database. */
export function createAlertingPorts(state: StateDatabase): AlertingPorts {
	return {
		alerts: createAlertStore(state),
		outbox: createOutboxStore(state),
		silences: createSilenceStore(state),
		history: createNotificationHistory(state),
	};
}
