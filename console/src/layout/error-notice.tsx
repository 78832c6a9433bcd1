import { Alert, Button } from 'antd';
import { ApiError } from '../api/client.ts';
import { useTexts } from '../texts/language.tsx';
import type { Texts } from '../texts/zh.ts';

/** What a person reads of an error: the known code in their language, and the server's own words. */
export function errorWords(error: unknown, texts: Texts): { readonly title: string; readonly detail: string } {
	if (!(error instanceof ApiError)) return { title: error instanceof Error ? error.message : String(error), detail: '' };
	if (error.code === 'offline') return { title: texts.errors.offline, detail: '' };
	if (error.code === 'timeout') return { title: texts.errors.timeout, detail: '' };
	const known = texts.errors.known[error.code];
	return known === undefined ? { title: error.message, detail: error.code } : { title: known, detail: `${error.message} (${error.code})` };
}

export function ErrorNotice({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
	const texts = useTexts();
	const { title, detail } = errorWords(error, texts);
	return (
		<Alert
			type="error"
			showIcon
			title={title}
			description={detail === '' ? undefined : <span className="error-detail">{detail}</span>}
			action={
				onRetry === undefined ? undefined : (
					<Button size="small" onClick={onRetry}>
						{texts.common.retry}
					</Button>
				)
			}
		/>
	);
}
