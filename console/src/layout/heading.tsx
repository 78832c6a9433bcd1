import { type ReactNode, useEffect, useRef } from 'react';
import { useTexts } from '../texts/language.tsx';

/** The heading of a page, which is also the name of its tab, its bookmark and its entry in the history. */
export function Heading({ className, children }: { readonly className?: string; readonly children: ReactNode }) {
	const { product } = useTexts();
	const heading = useRef<HTMLHeadingElement>(null);
	// After every change: what is written in it may come with the data.
	useEffect(() => {
		const text = heading.current?.textContent ?? '';
		document.title = text === '' ? product : `${text} · ${product}`;
		return () => {
			document.title = product;
		};
	});
	return (
		<h1 ref={heading} {...(className === undefined ? {} : { className })}>
			{children}
		</h1>
	);
}
