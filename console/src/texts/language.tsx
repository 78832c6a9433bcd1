import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { CATALOGUE, type Language } from './catalogue.ts';
import { type Texts, zh } from './zh.ts';

interface LanguageChoice {
	readonly language: Language;
	readonly texts: Texts;
	choose(language: Language): void;
}

const STORAGE_KEY = 'fournines.language';

const LanguageContext = createContext<LanguageChoice>({ language: 'zh', texts: zh, choose: () => {} });

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
	const [language, setLanguage] = useState<Language>(() => (localStorage.getItem(STORAGE_KEY) === 'en' ? 'en' : 'zh'));
	useEffect(() => {
		document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
	}, [language]);
	const choice = useMemo<LanguageChoice>(
		() => ({
			language,
			texts: CATALOGUE[language],
			choose: (next) => {
				localStorage.setItem(STORAGE_KEY, next);
				setLanguage(next);
			},
		}),
		[language],
	);
	return <LanguageContext value={choice}>{children}</LanguageContext>;
}

export function useLanguage(): LanguageChoice {
	return useContext(LanguageContext);
}

export function useTexts(): Texts {
	return useContext(LanguageContext).texts;
}
