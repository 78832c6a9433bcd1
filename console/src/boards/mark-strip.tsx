import { Link } from 'react-router';
import type { Annotation } from '../../../protocol/change-api.ts';
import { shortTimeText } from '../format/time.ts';
import { useTexts } from '../texts/language.tsx';
import { MARK_COLORS, marksIn } from './annotation-marks.ts';
import type { TimeWindow } from './time-range.ts';

const SHOWN = 12;

/** What the marks on the charts are, in words, each with the way to it. */
export function MarkStrip({ annotations, window }: { readonly annotations: readonly Annotation[]; readonly window: TimeWindow }) {
	const texts = useTexts();
	const marks = marksIn(annotations, window);
	if (marks.length === 0) return null;
	return (
		<p className="mark-strip">
			{marks.slice(0, SHOWN).map((mark) => (
				<Link key={mark.id} to={placeOf(mark)} title={mark.text} style={{ color: MARK_COLORS[mark.kind] }}>
					{mark.title}{' '}
					<small className="num">
						{shortTimeText(mark.time)}
						{mark.timeEnd === null ? ` ${texts.service.ongoing}` : ''}
					</small>
				</Link>
			))}
			{marks.length > SHOWN ? <small className="muted">+ {marks.length - SHOWN}</small> : null}
		</p>
	);
}

function placeOf({ kind, id }: Annotation): string {
	return kind === 'maintenance' ? '/desk/maintenance' : `/desk/${kind}s/${id}`;
}
