import { useState } from 'react';
import type { Span } from '../../api/desk.ts';

const DAY_MS = 86_400_000;

/** What is open, or what began in the last ninety days. The span stays as it was chosen, so that it is not asked anew every second. */
export function useListSpan(): {
	readonly which: 'open' | 'all';
	readonly span: Span | null;
	choose(which: 'open' | 'all'): void;
} {
	const [chosen, setChosen] = useState<{ readonly which: 'open' | 'all'; readonly span: Span | null }>({ which: 'open', span: null });
	return {
		...chosen,
		choose: (which) => {
			const nowMs = Date.now();
			setChosen({ which, span: which === 'open' ? null : { fromMs: nowMs - 90 * DAY_MS, toMs: nowMs + DAY_MS } });
		},
	};
}
