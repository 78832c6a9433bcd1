import { Card } from 'antd';
import { useRequests } from '../../api/availability.ts';
import type { Span } from '../../api/desk.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';
import { Figure } from './figure.tsx';

/** Good requests of all, beside the time; nothing for a service that names no requests. */
export function RequestsCard({ service, span }: { readonly service: string; readonly span: Span }) {
	const texts = useTexts();
	const words = texts.requests;
	const { data, error, refetch } = useRequests(service, span);
	if (error !== null) return <ErrorNotice error={error} onRetry={() => void refetch()} />;
	if (data === undefined || data.requests === null) return null;
	const { good, total, sli, coverage, target, budgetRequests, budgetUsedRequests, excluded, unplaced } = data.requests;
	return (
		<Card title={words.title}>
			<div className="figures">
				<Figure name={words.sli} value={sli === null ? '—' : `${sli}%`} note={texts.overview.target(target)} large />
				<Figure name={texts.service.coverage} value={coverage === null ? '—' : `${coverage}%`} note={words.coverageHint} large />
				<Figure name={words.budget} value={budgetRequests} note={words.used(budgetUsedRequests)} large />
			</div>
			<div className="figures figures-seconds">
				<Figure name={words.total} value={String(total)} note={words.failed(total - good)} />
				<Figure name={words.excluded} value={String(excluded)} note="" />
				<Figure name={words.unplaced} value={String(unplaced)} note={unplaced === 0 ? '' : words.unplacedHint} />
			</div>
			{data.expressions === null ? null : (
				<p className="muted ledger-note">
					{words.counters} <code className="cell-wrap">{data.expressions.good}</code> /{' '}
					<code className="cell-wrap">{data.expressions.total}</code>
				</p>
			)}
		</Card>
	);
}
