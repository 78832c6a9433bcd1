/** While somebody computes days: which of them still say what is stored. */
export interface DayWatch {
	/** Those whose samples have not changed since the watch began. */
	untouched<T>(days: ReadonlyMap<number, T>): ReadonlyMap<number, T>;
	end(): void;
}

/**
 * Notes which days change while they are computed. Late samples that come between the reading of a day and its keeping would otherwise
 * never be seen: the day is kept behind the word that it has changed.
 */
export class TouchedDays {
	readonly #watches = new Set<{ readonly from: number; readonly to: number }[]>();

	/** Samples of `[fromDay, toDay]` have changed, and with them the edges of the days beside. */
	touch(fromDay: number, toDay: number): void {
		for (const spans of this.#watches) spans.push({ from: fromDay - 1, to: toDay + 1 });
	}

	watch(): DayWatch {
		const spans: { readonly from: number; readonly to: number }[] = [];
		this.#watches.add(spans);
		return {
			untouched: (days) => new Map([...days].filter(([day]) => !spans.some(({ from, to }) => day >= from && day <= to))),
			end: () => void this.#watches.delete(spans),
		};
	}
}
