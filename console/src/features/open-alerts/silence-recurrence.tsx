import { Checkbox, Form, Input, Segmented } from 'antd';
import type { SilenceTimes } from '../../api/silences.ts';
import { useTexts } from '../../texts/language.tsx';

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const DAY_CHOICES = ['every', 'weekdays', 'working', 'off'] as const;
/** The contracts, the calendars and the people who read the console are there. */
const ZONE = 'Asia/Shanghai';

export interface RecurrenceChoice {
	readonly days: (typeof DAY_CHOICES)[number];
	/** From 0 for Monday; counts for `weekdays` only. */
	readonly weekdays: readonly number[];
	/** `HH:MM`. An end that is not after the beginning is one of the next day. */
	readonly from: string;
	readonly to: string;
}

export const FIRST_CHOICE: RecurrenceChoice = { days: 'weekdays', weekdays: [5], from: '22:00', to: '06:00' };

export function isComplete({ days, weekdays, from, to }: RecurrenceChoice): boolean {
	return from !== '' && to !== '' && (days !== 'weekdays' || weekdays.length > 0);
}

/** As the interface takes it: a night is two parts, of which the second belongs to the days after. */
export function recurrenceOf(choice: RecurrenceChoice): readonly SilenceTimes[] {
	const { from, to } = choice;
	const part = (start: string, end: string, shift: number): SilenceTimes => ({
		times: [{ start_time: start, end_time: end }],
		location: ZONE,
		...(choice.days === 'weekdays' ? { weekdays: choice.weekdays.map((day) => WEEKDAYS[(day + shift) % 7] ?? 'monday') } : {}),
		...(choice.days === 'working' || choice.days === 'off' ? { days: choice.days } : {}),
	});
	if (from < to) return [part(from, to, 0)];
	return to === '00:00' ? [part(from, '24:00', 0)] : [part(from, '24:00', 0), part('00:00', to, 1)];
}

export function SilenceRecurrence({
	choice,
	onChange,
}: {
	readonly choice: RecurrenceChoice;
	readonly onChange: (next: RecurrenceChoice) => void;
}) {
	const { recurrence: texts } = useTexts().alerts;
	const night = choice.from >= choice.to && choice.to !== '00:00';
	return (
		<>
			<Form.Item label={texts.days} extra={choice.days === 'working' || choice.days === 'off' ? texts.calendarHint(night) : null}>
				<Segmented
					className="wrapping"
					value={choice.days}
					onChange={(days) => onChange({ ...choice, days })}
					options={DAY_CHOICES.map((value) => ({ value, label: texts.dayChoices[value] }))}
				/>
				{choice.days === 'weekdays' ? (
					<Checkbox.Group
						className="weekday-choice"
						value={[...choice.weekdays]}
						onChange={(weekdays) => onChange({ ...choice, weekdays })}
						options={texts.weekdays.map((label, value) => ({ label, value }))}
					/>
				) : null}
			</Form.Item>
			<Form.Item label={texts.hours} extra={night ? texts.nextDay : null}>
				<div className="hour-choice">
					<Input
						type="time"
						aria-label={texts.from}
						value={choice.from}
						onChange={({ target }) => onChange({ ...choice, from: target.value })}
					/>
					<span className="muted">–</span>
					<Input type="time" aria-label={texts.to} value={choice.to} onChange={({ target }) => onChange({ ...choice, to: target.value })} />
				</div>
			</Form.Item>
		</>
	);
}
