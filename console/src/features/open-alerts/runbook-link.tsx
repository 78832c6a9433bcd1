import { useTexts } from '../../texts/language.tsx';

/** What an alert says about how to deal with it; nothing where it says nothing. */
export function RunbookLink({ address }: { readonly address: string | undefined }) {
	const texts = useTexts();
	if (address === undefined || address === '') return null;
	return (
		<p>
			<a href={/^https?:\/\//.test(address) ? address : `/${address.replace(/^\/+/, '')}`} target="_blank" rel="noopener noreferrer">
				{texts.alerts.runbook}
			</a>
		</p>
	);
}
