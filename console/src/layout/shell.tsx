import {
	AlertOutlined,
	AppstoreOutlined,
	BellOutlined,
	ClusterOutlined,
	FileTextOutlined,
	LineChartOutlined,
	LogoutOutlined,
	TeamOutlined,
	ThunderboltOutlined,
	ToolOutlined,
} from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Dropdown, Spin } from 'antd';
import { Suspense } from 'react';
import { Navigate, NavLink, Outlet, useLocation } from 'react-router';
import type { SessionAnswer } from '../../../protocol/api.ts';
import { forgetAnswers, logOut, SESSION_KEY, useSession } from '../api/product.ts';
import { useTexts } from '../texts/language.tsx';
import { CrashGuard } from './crash-guard.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { LanguageSwitch } from './language-switch.tsx';
import { SessionContext } from './session-context.ts';

/** Header and navigation around every page that needs a session; without one, the log-in. */
export function Shell() {
	const texts = useTexts();
	const session = useSession();
	const location = useLocation();
	if (session.isPending) return <PageSpin />;
	if (session.data === undefined) {
		return (
			<div className="page">
				<ErrorNotice error={session.error} onRetry={() => void session.refetch()} />
			</div>
		);
	}
	if (session.data === null) {
		const next = location.pathname + location.search;
		return <Navigate replace to={next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`} />;
	}
	return (
		<SessionContext value={session.data}>
			<Header session={session.data} />
			<main className="page">
				<CrashGuard place={location.pathname}>
					<Suspense fallback={<PageSpin />}>
						<Outlet />
					</Suspense>
				</CrashGuard>
			</main>
			<footer className="footer">{texts.common.zone}</footer>
		</SessionContext>
	);
}

export function PageSpin() {
	const texts = useTexts();
	return (
		<div className="page-spin">
			<Spin description={texts.common.loading}>
				<div style={{ width: 120, height: 80 }} />
			</Spin>
		</div>
	);
}

function Header({ session }: { readonly session: SessionAnswer }) {
	const texts = useTexts();
	const client = useQueryClient();
	const entries = [
		{ to: '/', icon: <AppstoreOutlined />, text: texts.nav.overview },
		{ to: '/boards', icon: <LineChartOutlined />, text: texts.nav.boards },
		{ to: '/alerts', icon: <AlertOutlined />, text: texts.nav.alerts },
		{ to: '/incidents', icon: <ThunderboltOutlined />, text: texts.nav.incidents },
		{ to: '/oncall', icon: <TeamOutlined />, text: texts.nav.onCall },
		{ to: '/notifications', icon: <BellOutlined />, text: texts.nav.notifications },
		{ to: '/desk', icon: <ToolOutlined />, text: texts.nav.desk },
		{ to: '/agents', icon: <ClusterOutlined />, text: texts.nav.agents },
		{ to: '/reports', icon: <FileTextOutlined />, text: texts.nav.reports },
	];
	const leave = async () => {
		// Also when the collector cannot be reached: what is on the screen must go.
		await logOut().catch(() => {});
		client.setQueryData(SESSION_KEY, null);
		forgetAnswers(client);
	};
	return (
		<header className="header">
			<NavLink to="/" className="brand">
				<img src="/icon.svg" alt="" width={24} height={24} />
				<span>{texts.product}</span>
			</NavLink>
			<nav className="nav" aria-label={texts.nav.main}>
				{entries.map(({ to, icon, text }) => (
					<NavLink key={to} to={to} end={to === '/'} className={({ isActive }) => (isActive ? 'nav-link nav-active' : 'nav-link')}>
						{icon}
						<span>{text}</span>
					</NavLink>
				))}
			</nav>
			<div className="header-end">
				<LanguageSwitch />
				<Dropdown
					trigger={['click']}
					menu={{
						items: [
							{ key: 'role', label: texts.role[session.role], disabled: true },
							{ key: 'leave', label: texts.common.logOut, icon: <LogoutOutlined />, onClick: () => void leave() },
						],
					}}
				>
					<Button type="text" className="account-button">
						{session.account}
					</Button>
				</Dropdown>
			</div>
		</header>
	);
}
