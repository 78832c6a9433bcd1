import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';
import { Heading } from './heading.tsx';
import { LanguageSwitch } from './language-switch.tsx';

/** The page outside of a session: brand, one card, language. */
export function Entrance({
	title,
	wide = false,
	children,
}: {
	readonly title: string;
	readonly wide?: boolean;
	readonly children: ReactNode;
}) {
	const texts = useTexts();
	return (
		<div className="entrance">
			<div className={wide ? 'entrance-box entrance-wide' : 'entrance-box'}>
				<div className="entrance-brand">
					<img src="/icon.svg" alt="" width={36} height={36} />
					<div>
						<strong>{texts.product}</strong>
						<span>{texts.productLine}</span>
					</div>
					<LanguageSwitch />
				</div>
				<section className="entrance-card">
					<Heading>{title}</Heading>
					{children}
				</section>
			</div>
		</div>
	);
}
