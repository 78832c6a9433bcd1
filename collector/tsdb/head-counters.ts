/** What became of the samples that the head was given since the process began. */
export interface HeadCounters {
	appended: number;
	/** Same time, same value: nothing to do. */
	duplicates: number;
	/** Same time, other value: the later one won. */
	overwritten: number;
	/** Arrived after a newer sample of its series. */
	late: number;
}
