import { Alert, Button } from 'antd';
import { ApiError } from '../api/client.ts';
import { useTexts } from '../texts/language.tsx';
import type { Texts } from '../texts/zh.ts';

/** Codes whose message says no more than the translation; those of others name accounts, minutes and rules. */
const SAYS_NO_MORE: readonly string[] = ['FN_LOGIN_FAILED', 'FN_SETUP_CODE', 'FN_SETUP_DONE', 'FN_AUTH_REQUIRED', 'FN_BOARD_UNKNOWN'];

/** What a person reads of an error: the known code in their language, and the server's own words. */
export function errorWords(error: unknown, texts: Texts): { readonly title: string; readonly detail: string } {
	if (!(error instanceof ApiError)) return { title: error instanceof Error ? error.message : String(error), detail: '' };
	if (error.code === 'offline') return { title: texts.errors.offline, detail: '' };
	if (error.code === 'timeout') return { title: texts.errors.timeout, detail: '' };
	const known = texts.errors.known[error.code];
	if (known === undefined) return { title: error.message, detail: error.code };
	return { title: known, detail: SAYS_NO_MORE.includes(error.code) ? '' : `${error.message} (${error.code})` };
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
