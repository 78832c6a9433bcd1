import { useLanguage } from '../../texts/language.tsx';
import type { Panel } from '../board-json.ts';
import { displayValue, type FieldConfig, percentBetween } from '../field-config.ts';
import type { Frame } from '../frames.ts';
import { singleValues } from './single-values.ts';

const TRACK = '#e6ebf1';

/** A unit that has natural ends uses them where the board names none. */
function withEnds(config: FieldConfig): FieldConfig {
	return config.unit === 'percentunit' ? { ...config, min: config.min ?? 0, max: config.max ?? 1 } : config;
}

export function GaugePanel({ panel, frames }: { readonly panel: Panel; readonly frames: readonly Frame[] }) {
	const { language } = useLanguage();
	const values = singleValues(panel, frames);
	return (
		<div className="stats">
			{values.map(({ frame, value }, i) => {
				const config = withEnds(frame.config);
				const shown = displayValue(value, config, language);
				const share = value === null ? 0 : Math.min(1, Math.max(0, percentBetween(value, config) / 100));
				return (
					// biome-ignore lint/suspicious/noArrayIndexKey: two series may have the same name
					<div key={`${frame.name} ${i}`} className="gauge">
						<svg viewBox="0 0 120 74" role="img" aria-label={`${frame.name} ${shown.text}${shown.suffix}`}>
							<path d={arc(1)} fill="none" stroke={TRACK} strokeWidth="11" />
							<path d={arc(share)} fill="none" stroke={shown.color ?? '#2b6cb0'} strokeWidth="11" />
							<text x="60" y="62" textAnchor="middle" className="gauge-value" fill={shown.color ?? '#1b2733'}>
								{shown.text}
								{shown.suffix}
							</text>
						</svg>
						{values.length > 1 ? <span className="stat-name">{frame.name}</span> : null}
					</div>
				);
			})}
		</div>
	);
}

/** The first `share` of a half circle, from the left. */
function arc(share: number): string {
	const angle = Math.PI * (1 - share);
	return `M10 64 A50 50 0 0 1 ${(60 + 50 * Math.cos(angle)).toFixed(2)} ${(64 - 50 * Math.sin(angle)).toFixed(2)}`;
}

export function BarGaugePanel({ panel, frames }: { readonly panel: Panel; readonly frames: readonly Frame[] }) {
	const { language } = useLanguage();
	const values = singleValues(panel, frames);
	const largest = Math.max(...values.map(({ value }) => value ?? 0), 0);
	return (
		<div className="bars">
			{values.map(({ frame, value }, i) => {
				const config = withEnds(frame.config);
				const shown = displayValue(value, config, language);
				const ends = { min: config.min, max: config.max ?? largest };
				const share = value === null ? 0 : Math.min(100, Math.max(0, percentBetween(value, ends)));
				return (
					// biome-ignore lint/suspicious/noArrayIndexKey: two series may have the same name
					<div key={`${frame.name} ${i}`} className="bar">
						<span className="bar-name" title={frame.name}>
							{frame.name}
						</span>
						<span className="bar-value num">
							{shown.prefix}
							{shown.text}
							{shown.suffix}
						</span>
						<span className="bar-track">
							<span style={{ width: `${share}%`, backgroundColor: shown.color ?? '#2b6cb0' }} />
						</span>
					</div>
				);
			})}
		</div>
	);
}
