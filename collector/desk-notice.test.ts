import { expect, test } from 'vitest';
import { type DeskNotice, deskAlert } from './desk-notice.ts';

const NOW = Date.parse('2026-11-22T04:00:00Z');
const notice: DeskNotice = {
	name: 'ProblemStepDue',
	severity: 'warning',
	owner: '',
	service: null,
	labels: { step: 'answer' },
	summary: 's',
	action: 'a',
	runbook: 'problems.md',
};

test.each([
	{ name: 'one that is told once', more: {}, startsAtMs: NOW, lastsMs: 600_000, labels: {} },
	{ name: 'one that is repeated', more: { repeated: true, sinceMs: NOW - 5000 }, startsAtMs: NOW - 5000, lastsMs: 60_000, labels: {} },
	{
		name: 'one with owner and service',
		more: { owner: 'ann', service: 'mis' },
		startsAtMs: NOW,
		lastsMs: 600_000,
		labels: { owner: 'ann', service: 'mis' },
	},
])('$name', ({ more, startsAtMs, lastsMs, labels }) => {
	expect(deskAlert({ ...notice, ...more }, NOW)).toEqual({
		labels: { alertname: 'ProblemStepDue', severity: 'warning', team: 'ops', step: 'answer', ...labels },
		annotations: { summary: 's', action: 'a', runbook_url: 'docs/runbooks/problems.md' },
		startsAtMs,
		endsAtMs: NOW + lastsMs,
		generatorUrl: '',
	});
});
