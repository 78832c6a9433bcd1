import type { ThemeConfig } from 'antd';
import type { ServiceState } from '../../protocol/api.ts';

/** The system's own fonts: the page works without any network but the collector's. */
export const FONT_FAMILY =
	'"PingFang SC", "HarmonyOS Sans SC", "MiSans", "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", system-ui, sans-serif';

export const theme: ThemeConfig = {
	token: {
		colorPrimary: '#1d5b99',
		colorInfo: '#1d5b99',
		colorSuccess: '#1f7a4d',
		colorWarning: '#a86400',
		colorError: '#b42318',
		// Grounds derived from these dark seeds would be grey.
		colorPrimaryBg: '#eaf2fa',
		colorPrimaryBgHover: '#dceaf6',
		colorPrimaryBorder: '#a9c8e6',
		controlItemBgActive: '#eaf2fa',
		controlItemBgActiveHover: '#dceaf6',
		colorInfoBg: '#f2f6fb',
		colorInfoBorder: '#c4d6e8',
		colorSuccessBg: '#eef8f2',
		colorSuccessBorder: '#b5dcc5',
		colorWarningBg: '#fff7e8',
		colorWarningBorder: '#f0d9a8',
		colorErrorBg: '#fdf1ef',
		colorErrorBorder: '#efc3bd',
		colorTextBase: '#1b2733',
		colorBgLayout: '#f3f5f8',
		colorBorderSecondary: '#e6eaef',
		borderRadius: 5,
		fontFamily: FONT_FAMILY,
		fontSize: 14,
		controlHeight: 32,
		motion: false,
	},
	components: {
		Card: { headerFontSize: 14, headerHeight: 42, bodyPadding: 16, headerPadding: 16 },
		Table: { headerBg: '#f7f9fb', headerSplitColor: 'transparent', cellPaddingBlock: 9 },
	},
};

/** Text on white reaches 4.5 : 1; each state also says its name, so that colour is never alone. */
export const STATE_COLORS: Readonly<Record<ServiceState, string>> = {
	up: '#1f7a4d',
	degraded: '#a86400',
	down: '#b42318',
	unknown: '#66727f',
	excluded: '#4b6a9b',
};

/** Worst first. */
export const SEVERITIES = ['critical', 'warning', 'info', 'other'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const SEVERITY_COLORS: Readonly<Record<Severity, string>> = {
	critical: '#b42318',
	warning: '#a86400',
	info: '#1d5b99',
	other: '#66727f',
};

export function severityOf(label: string | undefined): Severity {
	return label === 'critical' || label === 'warning' || label === 'info' ? label : 'other';
}
