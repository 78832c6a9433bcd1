import { useState } from 'react';
import type { ShiftListAnswer } from '../../../../protocol/on-call-api.ts';
import { useShifts } from '../../api/on-call.ts';
import { dayStartMs, shortTimeText, weekdayOf } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { shortNames } from './short-names.ts';

const DAY_MS = 86_400_000;
const WEEKS = 4;
/** Told apart by place and by name as well; the colours only help the eye. */
const COLORS = ['#dceaf6', '#e3f1e6', '#fbeed3', '#efe3f4', '#dff0f0', '#f7e1dc'];

/** Four weeks, one row a week: who has duty when, and where nobody has. */
export function ShiftCalendar({ roster }: { readonly roster: string }) {
	const texts = useTexts();
	const [fromMs] = useState(() => dayStartMs(Date.now()));
	const shifts = useShifts(roster, fromMs, fromMs + WEEKS * 7 * DAY_MS);
	return (
		<>
			<small className="muted">{texts.onCall.shifts}</small>
			<Loaded query={shifts}>
				{(data) => (
					<>
						<Days startMs={fromMs} />
						{Array.from({ length: WEEKS }, (_, week) => fromMs + week * 7 * DAY_MS).map((startMs) => (
							<Week key={startMs} startMs={startMs} shifts={data.shifts} />
						))}
					</>
				)}
			</Loaded>
		</>
	);
}

/** The days of the week from today on, above the weeks. */
function Days({ startMs }: { readonly startMs: number }) {
	const { weekdays } = useTexts().alerts.recurrence;
	const days = Array.from({ length: 7 }, (_, day) => startMs + day * DAY_MS);
	return (
		<div className="oncall-week" aria-hidden="true">
			<span />
			<div className="oncall-days">
				{days.map((ms, day) => (
					<span key={ms} className={day === 0 ? 'oncall-today' : ''}>
						{weekdays[weekdayOf(ms)]}
					</span>
				))}
			</div>
		</div>
	);
}

function Week({ startMs, shifts }: { readonly startMs: number; readonly shifts: ShiftListAnswer['shifts'] }) {
	const texts = useTexts();
	const endMs = startMs + 7 * DAY_MS;
	const names = [...new Set(shifts.map(({ people }) => people.join('、')))];
	const short = shortNames([...new Set(shifts.flatMap(({ people }) => people))]);
	return (
		<div className="oncall-week">
			<span className="num muted">{shortTimeText(startMs).slice(0, 5)}</span>
			<div className="oncall-band">
				{shifts
					.filter((shift) => shift.fromMs < endMs && shift.toMs > startMs)
					.map((shift) => {
						const from = Math.max(shift.fromMs, startMs);
						const to = Math.min(shift.toMs, endMs);
						const who = shift.people.join('、');
						const nobody = shift.people.length === 0;
						// In hardly a day a whole name is cut off where it begins to differ.
						const brief = to - from < DAY_MS ? shift.people.map((name) => short.get(name) ?? name).join('、') : who;
						return (
							<span
								key={from}
								className={nobody ? 'oncall-shift oncall-vacant' : 'oncall-shift'}
								title={`${shortTimeText(shift.fromMs)} – ${shortTimeText(shift.toMs)} ${nobody ? texts.onCall.nobody : who}`}
								style={{
									left: `${((from - startMs) / (7 * DAY_MS)) * 100}%`,
									width: `${((to - from) / (7 * DAY_MS)) * 100}%`,
									...(nobody ? {} : { backgroundColor: COLORS[names.indexOf(who) % COLORS.length] }),
								}}
							>
								{nobody ? '' : brief}
							</span>
						);
					})}
				{[1, 2, 3, 4, 5, 6].map((day) => (
					<i key={day} className="oncall-day" style={{ left: `${(day / 7) * 100}%` }} />
				))}
			</div>
		</div>
	);
}
