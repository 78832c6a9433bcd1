import type { ChangeStage } from '../../../../protocol/change-api.ts';
import type { FaultStage } from '../../../../protocol/fault-api.ts';
import type { ProblemStage } from '../../../../protocol/problem-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

const { up, degraded, down, unknown, excluded } = STATE_COLORS;

const FAULT_COLORS: Readonly<Record<FaultStage, string>> = {
	candidate: degraded,
	declared: down,
	restored: excluded,
	resolved: up,
	closed: unknown,
	dismissed: unknown,
	merged: unknown,
};

const PROBLEM_COLORS: Readonly<Record<ProblemStage, string>> = {
	received: down,
	accepted: degraded,
	handed: degraded,
	answered: excluded,
	closed: up,
	withdrawn: unknown,
};

const CHANGE_COLORS: Readonly<Record<ChangeStage, string>> = {
	requested: degraded,
	approved: excluded,
	started: down,
	done: excluded,
	'rolled-back': degraded,
	closed: up,
	refused: unknown,
	cancelled: unknown,
};

export function FaultStageMark({ stage }: { readonly stage: FaultStage }) {
	return <Mark color={FAULT_COLORS[stage]} text={useTexts().fault.stages[stage]} filled={stage === 'declared'} />;
}

export function ProblemStageMark({ stage }: { readonly stage: ProblemStage }) {
	return <Mark color={PROBLEM_COLORS[stage]} text={useTexts().problem.stages[stage]} filled={stage === 'received'} />;
}

export function ChangeStageMark({ stage }: { readonly stage: ChangeStage }) {
	return <Mark color={CHANGE_COLORS[stage]} text={useTexts().change.stages[stage]} filled={stage === 'started'} />;
}
