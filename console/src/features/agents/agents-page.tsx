import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Card, Popconfirm, Segmented, Table } from 'antd';
import { useState } from 'react';
import type { AgentEntry } from '../../../../protocol/agent-api.ts';
import { AGENTS_KEY, revokeAgent, useAgents } from '../../api/agents.ts';
import { durationText } from '../../format/duration.ts';
import { dateTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { useIdentity } from '../../layout/session-context.ts';
import { PageSpin } from '../../layout/shell.tsx';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { CentralConfigEditor } from './central-config-editor.tsx';
import { EnrolDialog } from './enrol-dialog.tsx';

/** An agent asks for its configuration once a minute; three times in a row without it is worth a look. */
const LATE_MS = 180_000;

export function AgentsPage() {
	const texts = useTexts();
	const { mayManageAgents } = useIdentity();
	const [tab, setTab] = useState<'list' | 'config'>('list');
	const [enrolling, setEnrolling] = useState(false);
	const agents = useAgents();
	return (
		<>
			<div className="page-title">
				<Heading>{texts.agents.title}</Heading>
				<Segmented
					value={tab}
					onChange={setTab}
					options={[
						{ value: 'list', label: agents.data === undefined ? texts.agents.list : `${texts.agents.list} ${agents.data.agents.length}` },
						{ value: 'config', label: texts.agents.config },
					]}
				/>
				{mayManageAgents ? (
					<Button type="primary" onClick={() => setEnrolling(true)}>
						{texts.agents.enrol}
					</Button>
				) : null}
			</div>
			{agents.error === null ? null : <ErrorNotice error={agents.error} onRetry={() => void agents.refetch()} />}
			{agents.data === undefined && agents.error === null ? <PageSpin /> : null}
			{tab === 'list' && agents.data !== undefined ? <AgentTable agents={agents.data.agents} mayRevoke={mayManageAgents} /> : null}
			{tab === 'config' ? <CentralConfigEditor agents={agents.data?.agents ?? []} mayWrite={mayManageAgents} /> : null}
			{enrolling ? <EnrolDialog onClose={() => setEnrolling(false)} /> : null}
		</>
	);
}

function AgentTable({ agents, mayRevoke }: { readonly agents: readonly AgentEntry[]; readonly mayRevoke: boolean }) {
	const texts = useTexts();
	const now = useNow();
	if (agents.length === 0) {
		return (
			<Card className="flush">
				<p className="quiet muted">{texts.agents.none}</p>
			</Card>
		);
	}
	return (
		<Card className="flush">
			<Table<AgentEntry>
				rowKey="host"
				dataSource={[...agents]}
				pagination={agents.length > 50 ? { pageSize: 50 } : false}
				size="middle"
				scroll={{ x: 'max-content' }}
				columns={[
					{ title: texts.agents.host, dataIndex: 'host', render: (host: string) => <b>{host}</b> },
					{ title: texts.agents.system, dataIndex: 'system' },
					{ title: texts.agents.zone, dataIndex: 'zone' },
					{ title: texts.agents.version, dataIndex: 'agentVersion' },
					{
						title: texts.agents.lastSync,
						render: (_, { lastSyncMs }) => (
							<span className="num" title={lastSyncMs === 0 ? '' : dateTimeText(lastSyncMs)}>
								{lastSyncMs === 0
									? texts.common.none
									: texts.common.ago(durationText(Math.max(0, now - lastSyncMs) / 1000, texts.duration))}
							</span>
						),
					},
					{ title: texts.agents.state, render: (_, agent) => <AgentState agent={agent} nowMs={now} /> },
					{ title: '', align: 'right', render: (_, agent) => (mayRevoke && !agent.revoked ? <RevokeButton host={agent.host} /> : null) },
				]}
			/>
		</Card>
	);
}

function AgentState({ agent, nowMs }: { readonly agent: AgentEntry; readonly nowMs: number }) {
	const texts = useTexts();
	if (agent.revoked) return <Mark color={STATE_COLORS.unknown} text={texts.agents.revoked} />;
	if (agent.state === 'failed') {
		// The version and the place come first; whoever wants all of it has the whole text.
		return (
			<span title={agent.reason}>
				<Mark color={STATE_COLORS.down} text={texts.agents.failed} />
				<small className="muted preformatted agent-reason">{agent.reason}</small>
			</span>
		);
	}
	if (agent.lastSyncMs > 0 && nowMs - agent.lastSyncMs > LATE_MS) return <Mark color={STATE_COLORS.degraded} text={texts.agents.late} />;
	if (agent.configVersion !== agent.wantedVersion) return <Mark color={STATE_COLORS.degraded} text={texts.agents.pending} />;
	if (agent.state === 'none') return <Mark color={STATE_COLORS.up} text={texts.agents.ownFile} />;
	return <Mark color={STATE_COLORS.up} text={`${texts.agents.applied} ${agent.configVersion.slice(0, 8)}`} />;
}

function RevokeButton({ host }: { readonly host: string }) {
	const texts = useTexts();
	const { message } = App.useApp();
	const client = useQueryClient();
	const revoke = useMutation({
		mutationFn: () => revokeAgent(host),
		onSuccess: async () => {
			await client.invalidateQueries({ queryKey: AGENTS_KEY });
			message.success(texts.agents.revokeDone(host));
		},
		onError: (error) => message.error(error.message),
	});
	return (
		<Popconfirm
			title={texts.agents.revokeSure(host)}
			okText={texts.agents.revoke}
			cancelText={texts.common.cancel}
			onConfirm={() => revoke.mutate()}
		>
			<Button size="small" loading={revoke.isPending}>
				{texts.agents.revoke}
			</Button>
		</Popconfirm>
	);
}
