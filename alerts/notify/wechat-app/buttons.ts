import { shorten, unitLength } from '../../templates/shorten.ts';

/** What one button takes. */
export interface CardTake {
	readonly incidentId: string;
	/** `A7`, or `''` on the card of one incident. */
	readonly code: string;
	/** Code and what it is about, as it stands on a card of several. */
	readonly label: string;
}

/** Buttons that a card holds (developer.work.weixin.qq.com, 按钮交互型). */
export const MAX_BUTTONS = 6;

const ACKNOWLEDGE = 'acknowledge:';
/** Bytes that the service brings back; five others of this length fit with room to spare. */
const LABEL_UNITS = 24;

/** The key comes back when the button is pressed: what it takes, and what else stands on the card, because nobody else remembers. */
export function buttonKey(take: CardTake, others: readonly CardTake[]): string {
	const rest = others.map(
		({ incidentId, label }) => `|${incidentId} ${shorten(label.replace(/[|<>&\s]+/g, ' '), LABEL_UNITS, unitLength)}`,
	);
	return `${ACKNOWLEDGE}${take.incidentId}${rest.join('')}`;
}

/** `null` for a key of somebody else's. */
export function readButtonKey(key: string): { readonly incidentId: string; readonly others: readonly CardTake[] } | null {
	if (!key.startsWith(ACKNOWLEDGE)) return null;
	const [incidentId = '', ...rest] = key.slice(ACKNOWLEDGE.length).split('|');
	return {
		incidentId,
		others: rest.map((other) => {
			const [id = '', ...label] = other.split(' ');
			return { incidentId: id, code: label[0] ?? '', label: label.join(' ') };
		}),
	};
}

/** One button per incident, called `name` of it. */
export function takeButtons(takes: readonly CardTake[], name: (take: CardTake) => string): readonly object[] {
	return takes.map((take) => ({
		text: name(take),
		style: 1,
		key: buttonKey(
			take,
			takes.filter((other) => other !== take),
		),
	}));
}
