import { Button } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTexts } from '../texts/language.tsx';

interface LimitedProps<T> {
	readonly items: readonly T[];
	/** So many are shown at first, and so many more at each press. */
	readonly step?: number;
	readonly children: (item: T) => ReactNode;
}

/** A list of which only the beginning is drawn until somebody asks for more. */
export function Limited<T>({ items, step = 100, children }: LimitedProps<T>) {
	const texts = useTexts();
	const [shown, setShown] = useState(step);
	const rest = items.length - shown;
	return (
		<>
			{items.slice(0, shown).map(children)}
			{rest <= 0 ? null : (
				<div className="more">
					<Button onClick={() => setShown(shown + step)}>{texts.common.more(Math.min(step, rest))}</Button>
				</div>
			)}
		</>
	);
}
