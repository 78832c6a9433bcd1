import { createContext, useContext } from 'react';
import type { Annotation } from '../../../protocol/change-api.ts';
import type { Scope } from './interpolate.ts';
import type { TimeWindow } from './time-range.ts';

/** What every panel of a board shares. */
export interface BoardSurroundings {
	readonly uid: string;
	readonly window: TimeWindow;
	readonly scope: Scope;
	/** Charts of one board share their cross-hair; empty when they do not. */
	readonly chartGroup: string;
	readonly shareTooltip: boolean;
	/** Changes, maintenance and faults, marked on every chart. */
	readonly annotations: readonly Annotation[];
}

export const BoardContext = createContext<BoardSurroundings>({
	uid: '',
	window: { fromMs: 0, toMs: 1 },
	scope: {},
	chartGroup: '',
	shareTooltip: false,
	annotations: [],
});

export function useBoardSurroundings(): BoardSurroundings {
	return useContext(BoardContext);
}
