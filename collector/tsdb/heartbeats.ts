import { METRIC_NAME } from '../../protocol/labels.ts';
import { PairRange, readPair } from '../storage/label-bytes.ts';

const NAME_LABEL = Buffer.from(METRIC_NAME);
/** What explains silence in a ledger: the lives of agents and of this collector. Late ones change causes of days that are kept. */
const HEARTBEATS = ['fournines_agent_last_push_timestamp_seconds', 'fournines_collector_up'].map((name) => Buffer.from(name));

/** Whether the series is a heartbeat, by its canonical label bytes. */
export function isHeartbeat(labels: Uint8Array): boolean {
	const pair = new PairRange();
	const bytes = Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength);
	for (let pos = 0; pos < labels.length; ) {
		pos = readPair(labels, pos, pair);
		if (!bytes.subarray(pair.nameStart, pair.nameEnd).equals(NAME_LABEL)) continue;
		const value = bytes.subarray(pair.valueStart, pair.valueEnd);
		return HEARTBEATS.some((name) => name.equals(value));
	}
	return false;
}
