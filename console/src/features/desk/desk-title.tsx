import { Segmented } from 'antd';
import type { ReactNode } from 'react';
import { Heading } from '../../layout/heading.tsx';
import { useTexts } from '../../texts/language.tsx';

interface DeskTitleProps {
	readonly title: string;
	readonly which: 'open' | 'all';
	readonly onWhich: (which: 'open' | 'all') => void;
	readonly children?: ReactNode;
}

/** Heading of a list: open ones or all, and what may be begun. */
export function DeskTitle({ title, which, onWhich, children }: DeskTitleProps) {
	const texts = useTexts();
	return (
		<div className="page-title">
			<Heading>{title}</Heading>
			<Segmented
				value={which}
				onChange={onWhich}
				options={[
					{ value: 'open', label: texts.desk.open },
					{ value: 'all', label: texts.desk.all },
				]}
			/>
			<div className="end">{children}</div>
		</div>
	);
}
