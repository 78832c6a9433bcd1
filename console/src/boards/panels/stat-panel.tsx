import { useLanguage } from '../../texts/language.tsx';
import type { Panel } from '../board-json.ts';
import { displayValue } from '../field-config.ts';
import type { Frame } from '../frames.ts';
import { asText } from '../json-read.ts';
import { type SingleValue, singleValues } from './single-values.ts';

const DEFAULT_COLOR = '#1b2733';

export function StatPanel({ panel, frames }: { readonly panel: Panel; readonly frames: readonly Frame[] }) {
	const values = singleValues(panel, frames);
	const textMode = asText(panel.options['textMode'], 'auto');
	const withName = textMode === 'value_and_name' || textMode === 'name' || (textMode === 'auto' && values.length > 1);
	return (
		<div className={asText(panel.options['orientation']) === 'horizontal' ? 'stats stats-rows' : 'stats'}>
			{values.map((single, i) => (
				<Stat
					// biome-ignore lint/suspicious/noArrayIndexKey: two series may have the same name
					key={`${single.frame.name} ${i}`}
					single={single}
					withName={withName}
					textMode={textMode}
					background={asText(panel.options['colorMode'], 'value').startsWith('background')}
					colored={asText(panel.options['colorMode'], 'value') !== 'none'}
					withGraph={asText(panel.options['graphMode'], 'area') === 'area'}
				/>
			))}
		</div>
	);
}

interface StatProps {
	readonly single: SingleValue;
	readonly withName: boolean;
	readonly textMode: string;
	readonly background: boolean;
	readonly colored: boolean;
	readonly withGraph: boolean;
}

function Stat({ single, withName, textMode, background, colored, withGraph }: StatProps) {
	const { language } = useLanguage();
	const { frame, value } = single;
	const shown = displayValue(value, frame.config, language);
	const color = colored ? (shown.color ?? DEFAULT_COLOR) : DEFAULT_COLOR;
	return (
		<div className="stat" style={background ? { backgroundColor: color, color: '#fff' } : { color }}>
			{withGraph ? <Sparkline values={frame.values} color={background ? '#fff' : color} /> : null}
			{withName ? <span className="stat-name">{frame.name}</span> : null}
			{textMode === 'name' || textMode === 'none' ? null : (
				<span className="stat-value num">
					{shown.prefix}
					{shown.text}
					<small>{shown.suffix}</small>
				</span>
			)}
		</div>
	);
}

/** The course of the value behind it, without axes; gaps break it. */
function Sparkline({ values, color }: { readonly values: readonly (number | null)[]; readonly color: string }) {
	const known = values.filter((value) => value !== null);
	if (known.length < 2) return null;
	const min = Math.min(...known);
	const span = Math.max(...known) - min || 1;
	let path = '';
	let pen = false;
	values.forEach((value, i) => {
		if (value === null) {
			pen = false;
			return;
		}
		const x = ((i / (values.length - 1)) * 100).toFixed(2);
		const y = (30 - ((value - min) / span) * 26).toFixed(2);
		path += `${pen ? 'L' : 'M'}${x} ${y}`;
		pen = true;
	});
	return (
		<svg className="sparkline" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
			<path d={path} fill="none" stroke={color} strokeWidth="1.5" vectorEffect="non-scaling-stroke" opacity="0.4" />
		</svg>
	);
}
