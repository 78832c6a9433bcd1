import type { UseQueryResult } from '@tanstack/react-query';
import { Card } from 'antd';
import type { ReactNode } from 'react';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { PageSpin } from '../../layout/shell.tsx';

interface LoadedProps<T> {
	readonly query: UseQueryResult<T>;
	readonly children: (data: T) => ReactNode;
}

/** Waiting, refused, or what was answered. */
export function Loaded<T>({ query, children }: LoadedProps<T>) {
	return (
		<>
			{query.error === null ? null : <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
			{query.data === undefined ? query.error === null ? <PageSpin /> : null : children(query.data)}
		</>
	);
}

export function EmptyCard({ text }: { readonly text: string }) {
	return (
		<Card className="flush">
			<p className="quiet muted">{text}</p>
		</Card>
	);
}
