import type { OpenAlert } from '../../../../protocol/api.ts';
import type { Language } from '../../texts/catalogue.ts';

type Worded = Pick<OpenAlert, 'labels' | 'annotations'>;

/** The summary in the reader's language if the rule has it, otherwise in the other, otherwise the rule's name. */
export function alertSummary({ labels, annotations }: Worded, language: Language): string {
	const own = language === 'en' ? annotations['summary_en'] : annotations['summary'];
	return own || annotations['summary'] || annotations['summary_en'] || labels['alertname'] || '—';
}

const PLACE_LABELS = ['system', 'service', 'host', 'instance', 'check', 'mountpoint', 'device'] as const;

/** Where it is: the labels that name places, each value once. */
export function alertPlace({ labels }: Worded): string {
	const places = PLACE_LABELS.flatMap((name) => (labels[name] === undefined || labels[name] === '' ? [] : [labels[name]]));
	return [...new Set(places)].join(' · ');
}
