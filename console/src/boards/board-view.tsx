import { CaretDownOutlined, CaretRightOutlined } from '@ant-design/icons';
import { useMemo, useState } from 'react';
import type { Annotation } from '../../../protocol/change-api.ts';
import { useAnnotations } from '../api/desk.ts';
import { useTexts } from '../texts/language.tsx';
import { BoardContext, type BoardSurroundings } from './board-context.ts';
import { type Board, type BoardSection, sectionsOf } from './board-json.ts';
import { interpolate, type Scope } from './interpolate.ts';
import { MarkStrip } from './mark-strip.tsx';
import { PanelView } from './panel-view.tsx';
import type { TimeWindow } from './time-range.ts';

interface BoardViewProps {
	readonly board: Board;
	readonly scope: Scope;
	readonly window: TimeWindow;
}

/** A Grafana dashboard's panels on its grid of 24 columns; on a narrow screen one below the other. */
export function BoardView({ board, scope, window }: BoardViewProps) {
	const sections = useMemo(() => sectionsOf(board), [board]);
	const annotations = useAnnotations(roundedWindow(window)).data?.annotations ?? NO_MARKS;
	const surroundings = useMemo<BoardSurroundings>(
		() => ({
			uid: board.uid,
			window,
			scope,
			chartGroup: board.graphTooltip === 0 ? '' : `board-${board.uid}`,
			shareTooltip: board.graphTooltip === 2,
			annotations,
		}),
		[board, window, scope, annotations],
	);
	return (
		<BoardContext value={surroundings}>
			<MarkStrip annotations={annotations} window={window} />
			{sections.map((section) => (
				<Section key={section.row?.id ?? 'top'} section={section} scope={scope} />
			))}
		</BoardContext>
	);
}

/** Marks are asked for whole minutes: a board that moves on every few seconds need not ask each time. */
function roundedWindow({ fromMs, toMs }: TimeWindow): TimeWindow {
	return { fromMs: Math.floor(fromMs / 60_000) * 60_000, toMs: Math.ceil(toMs / 60_000) * 60_000 };
}

const NO_MARKS: readonly Annotation[] = [];

function Section({ section, scope }: { readonly section: BoardSection; readonly scope: Scope }) {
	const texts = useTexts();
	const [open, setOpen] = useState(section.row?.collapsed !== true);
	const top = Math.min(...section.panels.map((panel) => panel.grid.y));
	return (
		<>
			{section.row === null ? null : (
				<button
					type="button"
					className="board-row"
					aria-expanded={open}
					title={open ? texts.boards.collapse : texts.boards.expand}
					onClick={() => setOpen(!open)}
				>
					{open ? <CaretDownOutlined /> : <CaretRightOutlined />} {interpolate(section.row.title, scope)}
				</button>
			)}
			{open ? (
				<div className="board-grid">
					{section.panels.map((panel) => (
						<PanelView key={panel.id} panel={panel} top={top} />
					))}
				</div>
			) : null}
		</>
	);
}
