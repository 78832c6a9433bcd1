import { useMemo } from 'react';
import type { LedgerIntervalAnswer, ServiceState } from '../../../../protocol/api.ts';
import { timeTicks } from '../../format/time.ts';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { bandSegments } from './band.ts';

interface LedgerBandProps {
	readonly intervals: readonly LedgerIntervalAnswer[];
	readonly range: { readonly fromMs: number; readonly toMs: number };
}

/** The time as a coloured band with its scale and legend; states differ in height as well as in colour. */
export function LedgerBand({ intervals, range }: LedgerBandProps) {
	const texts = useTexts();
	const segments = useMemo(
		() => bandSegments(intervals, { fromSeconds: range.fromMs / 1000, toSeconds: range.toMs / 1000 }),
		[intervals, range.fromMs, range.toMs],
	);
	const ticks = timeTicks(range.fromMs, range.toMs, 8);
	const present = [...new Set(segments.map((segment) => segment.state))];
	const span = range.toMs - range.fromMs;
	return (
		<figure className="band" aria-label={texts.service.timeline}>
			<div className="band-track">
				{segments.map((segment) => (
					<span
						key={segment.from}
						className={`band-segment band-${segment.state}`}
						style={{
							left: `${segment.from * 100}%`,
							width: `${(segment.to - segment.from) * 100}%`,
							backgroundColor: bandColor(segment.state),
						}}
					/>
				))}
			</div>
			<div className="band-scale num">
				{ticks.map(({ ms, text }) => (
					<span key={ms} style={tickStyle((ms - range.fromMs) / span)}>
						{text}
					</span>
				))}
			</div>
			<figcaption className="band-legend">
				{present.map((state) => (
					<span key={state}>
						<i style={{ backgroundColor: bandColor(state) }} /> {texts.state[state]}
					</span>
				))}
			</figcaption>
		</figure>
	);
}

/** Labels stand in the middle below their moment, except at the ends, where they would leave the card. */
function tickStyle(share: number) {
	const shift = share < 0.02 ? '0' : share > 0.98 ? '-100%' : '-50%';
	return { left: `${share * 100}%`, transform: `translateX(${shift})` };
}

/** The unknown is pale: most of a new service's month is unknown, and must not look like a fault. */
function bandColor(state: ServiceState): string {
	if (state === 'unknown') return '#c3cbd4';
	return state === 'up' ? '#48a677' : STATE_COLORS[state];
}
