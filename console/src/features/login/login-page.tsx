import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Form, Input } from 'antd';
import { Navigate, useLocation, useNavigate, useSearchParams } from 'react-router';
import type { LoginRequest } from '../../../../protocol/api.ts';
import { forgetAnswers, logIn, SESSION_KEY, useSetupState } from '../../api/product.ts';
import { Entrance } from '../../layout/entrance.tsx';
import { ErrorNotice } from '../../layout/error-notice.tsx';
import { useTexts } from '../../texts/language.tsx';

export function LoginPage() {
	const texts = useTexts();
	const navigate = useNavigate();
	const location = useLocation();
	const [search] = useSearchParams();
	const client = useQueryClient();
	const setup = useSetupState();
	const login = useMutation({
		mutationFn: logIn,
		onError: () => {},
		onSuccess: async (session) => {
			forgetAnswers(client);
			client.setQueryData(SESSION_KEY, session);
			await navigate(innerPath(search.get('next')), { replace: true });
		},
	});
	if (setup.data?.needed === true) return <Navigate replace to="/setup" />;
	const created = location.state === 'created';
	return (
		<Entrance title={texts.login.title}>
			<Form<LoginRequest> layout="vertical" requiredMark={false} onFinish={(values) => login.mutate(values)}>
				{created && login.error === null ? <Alert type="success" showIcon title={texts.login.created} /> : null}
				{login.error === null ? null : <ErrorNotice error={login.error} />}
				<Form.Item name="account" label={texts.login.account} rules={[{ required: true, message: texts.login.accountMissing }]}>
					<Input autoComplete="username" autoFocus maxLength={64} />
				</Form.Item>
				<Form.Item name="password" label={texts.login.password} rules={[{ required: true, message: texts.login.passwordMissing }]}>
					<Input.Password autoComplete="current-password" maxLength={256} />
				</Form.Item>
				<Button type="primary" htmlType="submit" block loading={login.isPending}>
					{texts.login.submit}
				</Button>
			</Form>
		</Entrance>
	);
}

/** Only an address inside of the console: a link with `next=//elsewhere` must not lead a person away after logging in. */
function innerPath(next: string | null): string {
	return next !== null && /^\/(?![/\\])/.test(next) ? next : '/';
}
