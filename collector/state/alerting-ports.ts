import type { AlertingPorts } from '../../alerts/ports.ts';
import { createAlertStore } from './alert-store.ts';
import type { StateDatabase } from './database.ts';
import { createIncidentStore } from './incident-store.ts';
import { createNotificationHistory } from './notification-history.ts';
import { createOnCallStore } from './on-call-store.ts';
import { createOutboxStore } from './outbox-store.ts';
import { createReceiptStore } from './receipt-store.ts';
import { createSilenceStore } from './silence-store.ts';

/** Everything that the alert pipeline keeps, in the state database. */
export function createAlertingPorts(state: StateDatabase): AlertingPorts {
	return {
		alerts: createAlertStore(state),
		outbox: createOutboxStore(state),
		receipts: createReceiptStore(state),
		silences: createSilenceStore(state),
		history: createNotificationHistory(state),
		incidents: createIncidentStore(state),
		onCall: createOnCallStore(state),
	};
}
