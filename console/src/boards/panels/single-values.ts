import type { Panel } from '../board-json.ts';
import type { Frame } from '../frames.ts';
import { asList, asObject } from '../json-read.ts';
import { calculationOf, reduceValues } from '../reduce.ts';

/** One number of a stat, gauge or bar gauge. */
export interface SingleValue {
	readonly frame: Frame;
	readonly value: number | null;
}

/** As `options.reduceOptions` says: one number per series, by its first calculation. */
export function singleValues(panel: Panel, frames: readonly Frame[]): readonly SingleValue[] {
	const [calculation] = asList(asObject(panel.options['reduceOptions'])['calcs']);
	return frames.map((frame) => ({ frame, value: reduceValues(frame.values, calculationOf(calculation)) }));
}
