import { useEffect, useState } from 'react';

/** The browser's clock, renewed every `everyMs` while the page is visible. */
export function useNow(everyMs = 1000): number {
	const [now, setNow] = useState(() => Date.now());
	useEffect(() => {
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') setNow(Date.now());
		}, everyMs);
		return () => clearInterval(timer);
	}, [everyMs]);
	return now;
}
