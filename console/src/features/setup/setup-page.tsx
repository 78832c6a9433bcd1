import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Checkbox, Form, Input, Tag } from 'antd';
import { useState } from 'react';
import { Navigate } from 'react-router';
import type { Role, SetupRequest } from '../../../../protocol/api.ts';
import { setUp, useSetupState } from '../../api/product.ts';
import { Entrance } from '../../layout/entrance.tsx';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { PageSpin } from '../../layout/shell.tsx';
import { useTexts } from '../../texts/language.tsx';
import { passwordRules } from './password-rules.ts';

interface AccountFields {
	readonly account: string;
	readonly password: string;
	readonly repeat: string;
}

type SetupFields = { readonly code: string } & Partial<Record<Role, AccountFields>>;

const OPTIONAL_ROLES = ['security', 'audit'] as const satisfies readonly Role[];
const ACCOUNT = /^[\p{L}\p{N}][\p{L}\p{N}._-]{1,63}$/u;

export function SetupPage() {
	const texts = useTexts();
	const client = useQueryClient();
	const state = useSetupState();
	const [optional, setOptional] = useState<readonly Role[]>([]);
	const make = useMutation({
		mutationFn: setUp,
		onSuccess: () => client.setQueryData(['setup'], { needed: false }),
	});
	if (state.isPending) return <PageSpin />;
	if (state.data?.needed === false) return <Navigate replace to="/login" state={make.isSuccess ? 'created' : null} />;
	const roles: readonly Role[] = ['system', ...optional];
	const submit = (fields: SetupFields) => {
		const accounts: SetupRequest['accounts'] = roles.flatMap((role) => {
			const entered = fields[role];
			return entered === undefined ? [] : [{ role, account: entered.account.trim(), password: entered.password }];
		});
		make.mutate({ code: fields.code.trim(), accounts });
	};
	return (
		<Entrance title={texts.setup.title} wide>
			<p className="muted">{texts.setup.intro}</p>
			<Form<SetupFields> layout="vertical" onFinish={submit}>
				{state.error === null ? null : <ErrorNotice error={state.error} onRetry={() => void state.refetch()} />}
				<Form.Item
					name="code"
					label={texts.setup.code}
					extra={texts.setup.codeHint}
					rules={[{ required: true, whitespace: true, message: texts.setup.codeMissing }]}
				>
					<Input autoComplete="one-time-code" autoFocus maxLength={64} spellCheck={false} />
				</Form.Item>
				<AccountFieldset duty="system" />
				{OPTIONAL_ROLES.map((role) => (
					<div key={role}>
						<Checkbox
							className="setup-optional"
							checked={optional.includes(role)}
							onChange={({ target }) =>
								setOptional(OPTIONAL_ROLES.filter((each) => (each === role ? target.checked : optional.includes(each))))
							}
						>
							{texts.setup.addRole(texts.role[role])}
							<span className="muted"> ({texts.setup.optional})</span>
						</Checkbox>
						{optional.includes(role) ? <AccountFieldset duty={role} /> : null}
					</div>
				))}
				{make.error === null ? null : <ErrorNotice error={make.error} />}
				<Button type="primary" htmlType="submit" block loading={make.isPending} className="setup-submit">
					{texts.setup.submit}
				</Button>
			</Form>
		</Entrance>
	);
}

function AccountFieldset({ duty }: { readonly duty: Role }) {
	const texts = useTexts();
	const form = Form.useFormInstance<SetupFields>();
	const entered = Form.useWatch([duty], form) as AccountFields | undefined;
	const shown = passwordRules(entered?.password ?? '', entered?.account?.trim() ?? '');
	return (
		<fieldset className="setup-role">
			<legend>
				{texts.role[duty]} {duty === 'system' ? <Tag color="blue">{texts.setup.required}</Tag> : null}
			</legend>
			<p className="muted">{texts.setup.does[duty]}</p>
			<Form.Item
				name={[duty, 'account']}
				label={texts.setup.account}
				rules={[
					{
						required: true,
						validator: async (_rule, value: unknown) => {
							const account = typeof value === 'string' ? value.trim() : '';
							if (!ACCOUNT.test(account)) throw new Error(texts.setup.accountRule);
							const others = (['system', ...OPTIONAL_ROLES] as const).filter((each) => each !== duty);
							if (others.some((each) => form.getFieldValue([each, 'account']) === account)) throw new Error(texts.setup.accountTaken);
						},
					},
				]}
			>
				<Input autoComplete="off" maxLength={64} spellCheck={false} />
			</Form.Item>
			<div className="setup-passwords">
				<Form.Item
					name={[duty, 'password']}
					label={texts.setup.password}
					dependencies={[[duty, 'account']]}
					rules={[
						{
							required: true,
							validator: async (_rule, value: unknown) => {
								const account: unknown = form.getFieldValue([duty, 'account']);
								const rules = passwordRules(typeof value === 'string' ? value : '', typeof account === 'string' ? account.trim() : '');
								if (rules.some(({ met }) => !met)) throw new Error(texts.setup.passwordWeak);
							},
						},
					]}
				>
					<Input.Password autoComplete="new-password" maxLength={256} />
				</Form.Item>
				<Form.Item
					name={[duty, 'repeat']}
					label={texts.setup.repeat}
					dependencies={[[duty, 'password']]}
					rules={[
						{
							required: true,
							validator: async (_rule, value: unknown) => {
								if (value !== form.getFieldValue([duty, 'password'])) throw new Error(texts.setup.repeatWrong);
							},
						},
					]}
				>
					<Input.Password autoComplete="new-password" maxLength={256} />
				</Form.Item>
			</div>
			<Alert
				type="info"
				title={texts.setup.rules}
				description={
					<ul className="rule-list">
						{shown.map(({ rule, met }) => (
							<li key={rule} className={met ? 'rule-met' : undefined}>
								<span aria-hidden="true">{met ? '✓' : '○'}</span> {texts.setup.rule[rule]}
								<span className="sr-only">{met ? texts.setup.ruleOk : texts.setup.ruleOpen}</span>
							</li>
						))}
					</ul>
				}
			/>
		</fieldset>
	);
}
