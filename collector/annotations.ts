import type { Annotation } from '../protocol/change-api.ts';
import { type Changes, spanOf } from './changes/changes.ts';
import type { Faults } from './faults/faults.ts';
import type { Maintenance } from './maintenance/maintenance.ts';
import { occurrences } from './maintenance/window.ts';

/** A fault that began this long before the range may still last in it. */
const FAULT_LOOK_BACK_MS = 30 * 86_400_000;

/** What charts of the range are marked with: changes, approved maintenance and declared faults, oldest first. */
export async function annotations(
	sources: {
		readonly changes: Pick<Changes, 'touching'>;
		readonly maintenance: Pick<Maintenance, 'list'>;
		readonly faults: Pick<Faults, 'list'>;
	},
	fromMs: number,
	toMs: number,
): Promise<readonly Annotation[]> {
	const found: Annotation[] = [];
	for (const { number, change } of await sources.changes.touching(fromMs, toMs)) {
		const span = spanOf(change);
		if (span === null) continue;
		const planned = change.startedMs === null;
		found.push({
			id: change.id,
			kind: 'change',
			time: span.fromMs,
			timeEnd: span.toMs,
			title: `变更 ${number}${planned ? '（计划）' : change.stage === 'rolled-back' ? '（已回退）' : ''}：${change.title}`,
			text: [change.executor, change.result].filter((part) => part !== '').join('：'),
			tags: ['change', change.nature, change.stage],
			services: change.services,
			hosts: change.hosts,
		});
	}
	for (const window of sources.maintenance.list(fromMs, toMs)) {
		if (window.state !== 'approved') continue;
		for (const planned of occurrences(window.request, fromMs, toMs)) {
			const actual = window.actual.get(planned.fromMs);
			found.push({
				id: `${window.id}:${planned.fromMs}`,
				kind: 'maintenance',
				time: actual?.startMs ?? planned.fromMs,
				timeEnd: actual?.endMs ?? planned.toMs,
				title: `维护：${window.request.title}`,
				text: window.requestedBy,
				tags: ['maintenance'],
				services: window.request.services,
				hosts: window.request.hosts ?? [],
			});
		}
	}
	for (const { number, fault } of await sources.faults.list({ fromMs: fromMs - FAULT_LOOK_BACK_MS, toMs })) {
		const { onset, declared, restored } = fault.moments;
		if (declared === null || onset === null || fault.stage === 'merged' || (restored ?? Number.POSITIVE_INFINITY) <= fromMs) continue;
		found.push({
			id: fault.id,
			kind: 'fault',
			time: onset,
			timeEnd: restored,
			title: `故障 ${number}：${fault.title}`,
			text: fault.causeText,
			tags: ['fault', fault.level],
			services: [...(fault.service === null ? [] : [fault.service]), ...fault.affected],
			hosts: [],
		});
	}
	return found.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
}
