import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Card } from 'antd';
import { useRef } from 'react';
import type { FaultAnswer } from '../../../../protocol/fault-api.ts';
import { attachFile, attachmentAddress, DESK_KEY } from '../../api/desk.ts';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';

/** Evidence: files that are kept with their digest. */
export function Attachments({ fault, mayAttach }: { readonly fault: FaultAnswer['fault']; readonly mayAttach: boolean }) {
	const texts = useTexts();
	const client = useQueryClient();
	const chooser = useRef<HTMLInputElement>(null);
	const attach = useMutation({
		mutationFn: (file: File) => attachFile(fault.id, file),
		onSuccess: () => client.invalidateQueries({ queryKey: DESK_KEY }),
	});
	return (
		<Card
			title={texts.fault.attachments}
			className="flush"
			extra={
				mayAttach ? (
					<>
						<input
							ref={chooser}
							type="file"
							hidden
							aria-label={texts.fault.attach}
							onChange={({ target }) => {
								const file = target.files?.[0];
								if (file !== undefined) attach.mutate(file);
								target.value = '';
							}}
						/>
						<Button size="small" loading={attach.isPending} onClick={() => chooser.current?.click()}>
							{texts.fault.attach}
						</Button>
					</>
				) : null
			}
		>
			{attach.error === null ? null : <ErrorNotice error={attach.error} />}
			{fault.attachments.length === 0 ? <p className="quiet muted">{texts.fault.noAttachments}</p> : null}
			{fault.attachments.map(({ id, name, sizeBytes, sha256 }) => (
				<div key={id} className="check-row">
					<a href={attachmentAddress(fault.id, id)} download={name}>
						{name}
					</a>
					<small className="muted num" title={sha256}>
						{texts.fault.bytes(sizeBytes)} · {sha256.slice(0, 12)}
					</small>
				</div>
			))}
		</Card>
	);
}
