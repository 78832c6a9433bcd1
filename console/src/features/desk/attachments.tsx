import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Card } from 'antd';
import { useRef } from 'react';
import type { AttachmentAnswer } from '../../../../protocol/problem-api.ts';
import { attachFile, attachmentAddress, DESK_KEY } from '../../api/desk.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';

/** Evidence: files that are kept with their digest. `path` names the case, `/faults/…`. */
export function Attachments({
	path,
	files,
	mayAttach,
}: {
	readonly path: string;
	readonly files: readonly AttachmentAnswer[];
	readonly mayAttach: boolean;
}) {
	const texts = useTexts();
	const client = useQueryClient();
	const chooser = useRef<HTMLInputElement>(null);
	const attach = useMutation({
		mutationFn: (file: File) => attachFile(path, file),
		onSuccess: () => client.invalidateQueries({ queryKey: DESK_KEY }),
	});
	return (
		<Card
			title={texts.desk.attachments}
			className="flush"
			extra={
				mayAttach ? (
					<>
						<input
							ref={chooser}
							type="file"
							hidden
							aria-label={texts.desk.attach}
							onChange={({ target }) => {
								const file = target.files?.[0];
								if (file !== undefined) attach.mutate(file);
								target.value = '';
							}}
						/>
						<Button size="small" loading={attach.isPending} onClick={() => chooser.current?.click()}>
							{texts.desk.attach}
						</Button>
					</>
				) : null
			}
		>
			{attach.error === null ? null : <ErrorNotice error={attach.error} />}
			{files.length === 0 ? <p className="quiet muted">{texts.desk.noAttachments}</p> : null}
			{files.map(({ id, name, sizeBytes, sha256 }) => (
				<div key={id} className="check-row">
					<a href={attachmentAddress(path, id)} download={name}>
						{name}
					</a>
					<small className="muted num" title={sha256}>
						{texts.desk.bytes(sizeBytes)} · {sha256.slice(0, 12)}
					</small>
				</div>
			))}
		</Card>
	);
}
