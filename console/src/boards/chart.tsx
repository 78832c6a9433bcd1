import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { connect, type EChartsCoreOption, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';

let registered = false;

function register(): void {
	if (registered) return;
	registered = true;
	use([LineChart, BarChart, GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent, CanvasRenderer]);
}

/** Makes an option; `isPointed` says whether the mouse is over this chart, and not over another of the group. */
export type ChartOption = (isPointed: () => boolean) => EChartsCoreOption;

/**
 * One ECharts instance for the life of the component: a refresh hands over new data, it never builds a new chart.
 * Charts with the same `group` share their cross-hair.
 */
export function Chart({ option, group, label }: { readonly option: ChartOption; readonly group: string; readonly label: string }) {
	const holder = useRef<HTMLDivElement>(null);
	const chart = useRef<ReturnType<typeof init> | null>(null);
	const pointed = useRef(false);
	useEffect(() => {
		const element = holder.current;
		if (element === null) return;
		register();
		const instance = init(element, null, { renderer: 'canvas' });
		chart.current = instance;
		const observer = new ResizeObserver(() => instance.resize());
		observer.observe(element);
		return () => {
			observer.disconnect();
			chart.current = null;
			instance.dispose();
		};
	}, []);
	useEffect(() => {
		if (chart.current === null || group === '') return;
		chart.current.group = group;
		connect(group);
	}, [group]);
	useEffect(() => {
		chart.current?.setOption(
			option(() => pointed.current),
			// At once: with a lazy update a cross-hair from another chart of the group finds series without data, and throws.
			{ replaceMerge: ['series', 'yAxis'] },
		);
	}, [option]);
	return (
		<div
			ref={holder}
			className="chart"
			role="img"
			aria-label={label}
			onPointerEnter={() => {
				pointed.current = true;
			}}
			onPointerLeave={() => {
				pointed.current = false;
			}}
		/>
	);
}
