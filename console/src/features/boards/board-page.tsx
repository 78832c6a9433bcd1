import { useIsFetching } from '@tanstack/react-query';
import { Alert, Select } from 'antd';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { useBoard, useBoardList } from '../../api/product.ts';
import { RangeControls, VariableControls } from '../../boards/board-controls.tsx';
import { type Board, readBoard } from '../../boards/board-json.ts';
import { BoardView } from '../../boards/board-view.tsx';
import { parseSpanSeconds, type TimeRange, windowOf } from '../../boards/time-range.ts';
import { useScope } from '../../boards/use-scope.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { useTexts } from '../../texts/language.tsx';

export function BoardPage() {
	const texts = useTexts();
	const { uid = '' } = useParams();
	const json = useBoard(uid);
	const board = useMemo(() => (json.data === undefined ? null : readBoard(json.data)), [json.data]);
	if (json.error !== null && json.data === undefined) return <ErrorNotice error={json.error} onRetry={() => void json.refetch()} />;
	if (json.data === undefined) return <PageSpin />;
	if (board === null) return <Alert type="error" showIcon title={texts.boards.unreadable} />;
	return <OpenBoard key={uid} board={board} />;
}

/** Range, refresh and variables live in the address, under Grafana's names, so that a view can be sent to somebody. */
function OpenBoard({ board }: { readonly board: Board }) {
	const texts = useTexts();
	const [search, setSearch] = useSearchParams();
	const fetching = useIsFetching({ queryKey: ['panel'] });
	const [nowMs, setNowMs] = useState(() => Date.now());
	const from = search.get('from') ?? board.from;
	const to = search.get('to') ?? board.to;
	const refresh = search.get('refresh') ?? board.refresh;
	useEffect(() => {
		const seconds = parseSpanSeconds(refresh);
		if (refresh === '' || seconds === null || seconds < 1) return;
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') setNowMs(Date.now());
		}, seconds * 1000);
		return () => clearInterval(timer);
	}, [refresh]);
	const window = useMemo(() => windowOf({ from, to }, nowMs), [from, to, nowMs]);
	const wanted = useMemo(() => wantedValues(search), [search]);
	const scope = useScope({ board, wanted, window });
	const change = useCallback(
		(values: Readonly<Record<string, readonly string[]>>) => {
			setSearch(
				(before) => {
					const next = new URLSearchParams(before);
					for (const [name, list] of Object.entries(values)) {
						next.delete(name);
						for (const value of list) next.append(name, value);
					}
					return next;
				},
				{ replace: true },
			);
			setNowMs(Date.now());
		},
		[setSearch],
	);
	return (
		<>
			<div className="page-title board-title">
				<BoardSwitch uid={board.uid} title={board.title} />
				{scope.data === undefined ? null : (
					<VariableControls scope={scope.data} onChange={(name, values) => change({ [`var-${name}`]: values })} />
				)}
				<div className="end">
					<RangeControls
						range={{ from, to }}
						refresh={refresh}
						isRefreshing={fetching > 0}
						onRange={(range: TimeRange) => change({ from: [range.from], to: [range.to] })}
						onRefresh={(next) => change({ refresh: [next] })}
						onRefreshNow={() => setNowMs(Date.now())}
					/>
				</div>
			</div>
			{scope.error === null ? null : <ErrorNotice error={scope.error} onRetry={() => void scope.refetch()} />}
			{scope.data === undefined ? null : <BoardView board={board} scope={scope.data} window={window} />}
			{scope.isPending ? <PageSpin /> : null}
			<Heading className="sr-only">
				{texts.boards.title}: {board.title}
			</Heading>
		</>
	);
}

function wantedValues(search: URLSearchParams): Readonly<Record<string, readonly string[]>> {
	const wanted: Record<string, string[]> = {};
	for (const [name, value] of search) {
		if (!name.startsWith('var-')) continue;
		const list = wanted[name.slice(4)] ?? [];
		list.push(value);
		wanted[name.slice(4)] = list;
	}
	return wanted;
}

function BoardSwitch({ uid, title }: { readonly uid: string; readonly title: string }) {
	const texts = useTexts();
	const navigate = useNavigate();
	const list = useBoardList();
	const options = list.data?.boards.map((board) => ({ value: board.uid, label: board.title })) ?? [{ value: uid, label: title }];
	return (
		<Select
			className="board-switch"
			variant="borderless"
			aria-label={texts.boards.title}
			value={uid}
			options={options}
			popupMatchSelectWidth={false}
			onChange={(next: string) => void navigate(`/boards/${encodeURIComponent(next)}`)}
		/>
	);
}
