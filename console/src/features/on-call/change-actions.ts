import type { OnCallAnswer } from '../../../../protocol/on-call-api.ts';
import { sendOnCall } from '../../api/on-call.ts';
import type { Texts } from '../../texts/zh.ts';
import type { Action, Field, FieldValues } from '../desk/action-dialog.tsx';

const HOUR_MS = 3_600_000;

function nextHourMs(): number {
	return Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
}

/** Somebody instead of somebody, in addition, or alone. */
export function changeAction(roster: string, people: OnCallAnswer['people'], texts: Texts): Action {
	const words = texts.onCall;
	const options = people.map(({ id, name }) => ({ value: id, label: name }));
	return {
		key: 'change',
		label: words.change,
		intro: words.changeIntro,
		primary: true,
		fields: [
			{
				name: 'kind',
				label: words.fields.kind,
				kind: 'select',
				initial: 'replace',
				options: (['replace', 'add', 'alone'] as const).map((kind) => ({ value: kind, label: words.changeKinds[kind] })),
			},
			{ name: 'instead', label: words.fields.instead, kind: 'select', options, optional: true },
			{ name: 'person', label: words.fields.person, kind: 'select', options },
			{ name: 'fromMs', label: words.fields.from, kind: 'time', initial: nextHourMs() },
			{ name: 'toMs', label: words.fields.to, kind: 'time', initial: nextHourMs() + 8 * HOUR_MS },
			{ name: 'reason', label: words.fields.reason, kind: 'text' },
		],
		run: (values) => sendChange(roster, values['kind'] === 'replace' ? values : without(values, 'instead')),
	};
}

/** Two people take over from each other. */
export function swapAction(roster: string, people: OnCallAnswer['people'], texts: Texts): Action {
	const words = texts.onCall;
	const options = people.map(({ id, name }) => ({ value: id, label: name }));
	const label = (text: string, which: number) => `${text} ${which}`;
	const time = (name: string, text: string, initial: number): Field => ({ name, label: text, kind: 'time', initial });
	const dayMs = 24 * HOUR_MS;
	return {
		key: 'swap',
		label: words.changeKinds.swap,
		fields: [
			{ name: 'a', label: label(words.fields.person, 1), kind: 'select', options },
			time('firstFrom', label(words.fields.from, 1), nextHourMs()),
			time('firstTo', label(words.fields.to, 1), nextHourMs() + dayMs),
			{ name: 'b', label: label(words.fields.person, 2), kind: 'select', options },
			time('secondFrom', label(words.fields.from, 2), nextHourMs() + dayMs),
			time('secondTo', label(words.fields.to, 2), nextHourMs() + 2 * dayMs),
			{ name: 'reason', label: words.fields.reason, kind: 'text' },
		],
		run: ({ firstFrom, firstTo, secondFrom, secondTo, ...values }) =>
			sendChange(roster, {
				kind: 'swap',
				...values,
				first: { fromMs: firstFrom, toMs: firstTo },
				second: { fromMs: secondFrom, toMs: secondTo },
			}),
	};
}

function sendChange(roster: string, body: FieldValues): Promise<unknown> {
	return sendOnCall(`/oncall/rosters/${encodeURIComponent(roster)}/changes`, body);
}

function without(values: FieldValues, name: string): FieldValues {
	return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
}
