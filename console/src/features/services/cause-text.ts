import type { Texts } from '../../texts/zh.ts';

/** What the ledger writes as a reason (`check: mis`, `no data: mis`, `collector down`, `calendar`, several with `; `), for people. */
export function causeText(reason: string, texts: Texts): string {
	const { cause } = texts.service;
	return reason
		.split('; ')
		.map((part) => {
			const [kind = '', detail = ''] = part.split(': ');
			switch (kind) {
				case 'check':
					return cause.check(detail);
				case 'no data':
					return detail === '' ? cause.silence : cause.noData(detail);
				case 'collector down':
					return cause.collectorDown;
				case 'calendar':
					return cause.calendar;
				default: {
					const words = cause.others[kind];
					return words === undefined ? part : words(detail);
				}
			}
		})
		.join(cause.separator);
}
