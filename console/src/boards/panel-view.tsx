import { InfoCircleOutlined, WarningFilled } from '@ant-design/icons';
import { Tooltip } from 'antd';
import { type CSSProperties, memo, useEffect, useRef, useState } from 'react';
import { errorWords } from '../layout/error-notice.tsx';
import { useTexts } from '../texts/language.tsx';
import { useBoardSurroundings } from './board-context.ts';
import type { Panel } from './board-json.ts';
import type { Frame } from './frames.ts';
import { interpolate } from './interpolate.ts';
import { usePanelData } from './panel-data.ts';
import { BarGaugePanel, GaugePanel } from './panels/gauge-panel.tsx';
import { StatPanel } from './panels/stat-panel.tsx';
import { TablePanel } from './panels/table-panel.tsx';
import { TextPanel } from './panels/text-panel.tsx';
import { TimeseriesPanel } from './panels/timeseries-panel.tsx';

/** Frame of one panel: title, what it is about, errors; the drawing inside. `top` is the first grid row of its section. */
export const PanelView = memo(function PanelView({ panel, top }: { readonly panel: Panel; readonly top: number }) {
	const texts = useTexts();
	const { scope } = useBoardSurroundings();
	const holder = useRef<HTMLElement>(null);
	const visible = useSeen(holder);
	const { frames, error, isLoading } = usePanelData(panel, visible);
	const place = {
		'--x': panel.grid.x + 1,
		'--y': panel.grid.y - top + 1,
		'--w': panel.grid.w,
		'--h': panel.grid.h,
	} as CSSProperties;
	const words = error === null ? null : errorWords(error, texts);
	const title = interpolate(panel.title, scope);
	return (
		<section
			ref={holder}
			className={`panel panel-${panel.type}${panel.grid.w <= 6 ? ' panel-narrow' : ''}`}
			style={place}
			data-panel={panel.id}
			aria-label={title}
		>
			<header className="panel-head">
				<h3>{title}</h3>
				{panel.description === '' ? null : (
					<Tooltip title={panel.description}>
						<InfoCircleOutlined className="panel-info" />
					</Tooltip>
				)}
				{words === null ? null : (
					<Tooltip title={`${words.title} ${words.detail}`}>
						<WarningFilled className="panel-error" aria-label={words.title} />
					</Tooltip>
				)}
			</header>
			<div className="panel-body">
				<PanelBody panel={panel} frames={frames} isLoading={isLoading} failed={words === null ? '' : words.title} />
			</div>
		</section>
	);
});

interface PanelBodyProps {
	readonly panel: Panel;
	readonly frames: readonly Frame[];
	readonly isLoading: boolean;
	readonly failed: string;
}

const DRAWN = ['timeseries', 'graph', 'stat', 'gauge', 'bargauge', 'table'];

function PanelBody({ panel, frames, isLoading, failed }: PanelBodyProps) {
	const texts = useTexts();
	if (panel.type === 'text') return <TextPanel panel={panel} />;
	if (!DRAWN.includes(panel.type)) return <p className="panel-note">{texts.boards.unknownPanel(panel.type)}</p>;
	if (frames.length === 0) {
		if (isLoading) return <p className="panel-note" aria-busy="true" />;
		return <p className="panel-note">{failed === '' ? texts.common.noData : failed}</p>;
	}
	switch (panel.type) {
		case 'stat':
			return <StatPanel panel={panel} frames={frames} />;
		case 'gauge':
			return <GaugePanel panel={panel} frames={frames} />;
		case 'bargauge':
			return <BarGaugePanel panel={panel} frames={frames} />;
		case 'table':
			return <TablePanel panel={panel} frames={frames} />;
		default:
			return <TimeseriesPanel panel={panel} frames={frames} />;
	}
}

/** Whether the element is in sight, or nearly. */
function useSeen(holder: { readonly current: HTMLElement | null }): boolean {
	const [seen, setSeen] = useState(false);
	useEffect(() => {
		const element = holder.current;
		if (element === null) return;
		const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting === true), { rootMargin: '200px' });
		observer.observe(element);
		return () => observer.disconnect();
	}, [holder]);
	return seen;
}
