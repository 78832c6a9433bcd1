export interface TransferSenderTable {
	sender: string;
	/** Number of the file that is expected. */
	next_seq: number;
	/** When the newest file that was taken had been written, by the sender's clock. */
	created_at_ms: number;
	taken_at_ms: number;
}

/** Files that did not come when those after them did; a row goes when they come after all. */
export interface TransferGapTable {
	id: string;
	sender: string;
	from_seq: number;
	to_seq: number;
	declared_at_ms: number;
}

/** By how much the numbers of a log stream are moved, because records of it were lost on the way. */
export interface TransferStreamTable {
	stream: string;
	moved_by: number;
}

export interface TransferTables {
	transfer_sender: TransferSenderTable;
	transfer_gap: TransferGapTable;
	transfer_stream: TransferStreamTable;
}
