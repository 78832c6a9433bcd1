import { en } from './en.ts';
import { type Texts, zh } from './zh.ts';

export type Language = 'zh' | 'en';

export const CATALOGUE: Readonly<Record<Language, Texts>> = { zh, en };
