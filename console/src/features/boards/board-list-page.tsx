import { Card, Empty } from 'antd';
import { Link } from 'react-router';
import { useBoardList } from '../../api/product.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { Heading } from '../../layout/heading.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { useTexts } from '../../texts/language.tsx';

export function BoardListPage() {
	const texts = useTexts();
	const list = useBoardList();
	if (list.data === undefined) {
		return list.error === null ? <PageSpin /> : <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
	}
	return (
		<>
			<div className="page-title">
				<Heading>{texts.boards.title}</Heading>
			</div>
			{list.data.boards.length === 0 ? (
				<Card>
					<Empty description={texts.boards.none} image={Empty.PRESENTED_IMAGE_SIMPLE} />
				</Card>
			) : null}
			<div className="board-list">
				{list.data.boards.map((board) => (
					<Link key={board.uid} to={`/boards/${encodeURIComponent(board.uid)}`} className="board-card">
						<b>{board.title}</b>
						{board.description === '' ? null : <small className="muted">{board.description}</small>}
						<span>
							{board.tags.map((tag) => (
								<span key={tag} className="chip">
									{tag}
								</span>
							))}
						</span>
					</Link>
				))}
			</div>
		</>
	);
}
