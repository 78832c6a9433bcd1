import { dateTimeText } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import { countdownText } from './countdown-text.ts';

/** How long is left until a deadline, or by how much it was missed. */
export function Countdown({
	dueMs,
	nowMs,
	stoppedMs = null,
}: {
	readonly dueMs: number;
	readonly nowMs: number;
	readonly stoppedMs?: number | null;
}) {
	const texts = useTexts();
	const seconds = (dueMs - (stoppedMs ?? nowMs)) / 1000;
	const late = seconds < 0;
	const text = countdownText(Math.abs(seconds), texts.duration.day);
	const near = stoppedMs === null && seconds < 300;
	return (
		<span className={late ? 'countdown countdown-late' : near ? 'countdown countdown-near' : 'countdown'} title={dateTimeText(dueMs)}>
			{stoppedMs === null ? (late ? texts.desk.over(text) : texts.desk.left(text)) : late ? texts.desk.wasLate(text) : texts.desk.inTime}
		</span>
	);
}
