import { createContext, useContext } from 'react';
import type { SessionAnswer } from '../../../protocol/api.ts';

export const SessionContext = createContext<SessionAnswer>({ account: '', role: 'viewer' });

/** Who is logged in. What they may do is the server's decision; this only hides what would be refused. */
export function useIdentity(): SessionAnswer & {
	readonly maySilence: boolean;
	readonly mayReport: boolean;
	readonly mayManageAgents: boolean;
	readonly mayOnCall: boolean;
} {
	const session = useContext(SessionContext);
	return {
		...session,
		maySilence: session.role === 'system' || session.role === 'operator',
		mayManageAgents: session.role === 'system',
		mayOnCall: session.role === 'system' || session.role === 'operator',
		mayReport: session.role === 'system' || session.role === 'operator' || session.role === 'viewer',
	};
}
