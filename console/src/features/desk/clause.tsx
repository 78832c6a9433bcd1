import type { Language } from '../../texts/catalogue.ts';
import { CLAUSES_ZH } from '../../texts/clauses-zh.ts';
import { useLanguage } from '../../texts/language.tsx';

/** Where the contract says so. */
export function Clause({ clause }: { readonly clause: string }) {
	const { language } = useLanguage();
	return <small className="muted">{clauseText(clause, language)}</small>;
}

export function clauseText(clause: string, language: Language): string {
	return language === 'zh' ? (CLAUSES_ZH[clause] ?? clause) : clause;
}
