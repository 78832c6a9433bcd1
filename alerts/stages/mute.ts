import type { Alert } from '../alert.ts';
import type { CompiledInhibitor } from '../inhibit/inhibit.ts';
import type { Dependence } from '../inhibit/topology.ts';
import type { Silences } from '../silence/silences.ts';

/** Says why an alert is hidden from everybody, in the words that are kept on record; `''` when it is not. */
export type MuteStage = (alert: Alert) => string;

export const inhibitStage =
	(inhibitor: CompiledInhibitor): MuteStage =>
	(alert) => {
		const source = inhibitor(alert);
		return source === null ? '' : `inhibited:${source}`;
	};

/** Hidden under the alert that explains it, which lists it. */
export const topologyStage =
	(dependence: Dependence): MuteStage =>
	(alert) => {
		const root = dependence.rootOf(alert);
		return root === null ? '' : `topology:${root}`;
	};

export const silenceStage =
	(silences: Silences, nowMs: number): MuteStage =>
	(alert) => {
		const [silence] = silences.silencedBy(alert.labels, nowMs);
		return silence === undefined ? '' : `silence:${silence}`;
	};

/** The window of approved maintenance that holds an alert back, or `''`. Asked once a round, so that all its alerts see one state. */
export type MaintenanceHold = (nowMs: number) => (labels: Alert['labels']) => string;

export const maintenanceStage = (hold: MaintenanceHold, nowMs: number): MuteStage => {
	const windowOf = hold(nowMs);
	return (alert) => {
		const window = windowOf(alert.labels);
		return window === '' ? '' : `maintenance:${window}`;
	};
};

/** The first stage that hides an alert decides what is on record. */
export function firstReason(stages: readonly MuteStage[], alert: Alert): string {
	for (const stage of stages) {
		const reason = stage(alert);
		if (reason !== '') return reason;
	}
	return '';
}
