import { QueryClientProvider } from '@tanstack/react-query';
import { App as AntApp, Button, ConfigProvider, Result } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { lazy, Suspense, useState } from 'react';
import { BrowserRouter, Link, Navigate, Route, Routes } from 'react-router';
import { createQueryClient } from './api/product.ts';
import { LoginPage } from './features/login/login-page.tsx';
import { OverviewPage } from './features/overview/overview-page.tsx';
import { PageSpin, Shell } from './layout/shell.tsx';
import { LanguageProvider, useLanguage, useTexts } from './texts/language.tsx';
import { theme } from './theme.ts';

const SetupPage = lazy(async () => ({ default: (await import('./features/setup/setup-page.tsx')).SetupPage }));
const ServicePage = lazy(async () => ({ default: (await import('./features/services/service-page.tsx')).ServicePage }));
const AlertsPage = lazy(async () => ({ default: (await import('./features/open-alerts/alerts-page.tsx')).AlertsPage }));
const IncidentListPage = lazy(async () => ({ default: (await import('./features/incidents/incident-list-page.tsx')).IncidentListPage }));
const IncidentPage = lazy(async () => ({ default: (await import('./features/incidents/incident-page.tsx')).IncidentPage }));
const OnCallPage = lazy(async () => ({ default: (await import('./features/on-call/on-call-page.tsx')).OnCallPage }));
const NotificationsPage = lazy(async () => ({
	default: (await import('./features/notifications/notifications-page.tsx')).NotificationsPage,
}));
const BoardListPage = lazy(async () => ({ default: (await import('./features/boards/board-list-page.tsx')).BoardListPage }));
const BoardPage = lazy(async () => ({ default: (await import('./features/boards/board-page.tsx')).BoardPage }));
const AgentsPage = lazy(async () => ({ default: (await import('./features/agents/agents-page.tsx')).AgentsPage }));
const DeskLayout = lazy(async () => ({ default: (await import('./features/desk/desk-layout.tsx')).DeskLayout }));
const FaultListPage = lazy(async () => ({ default: (await import('./features/faults/fault-list-page.tsx')).FaultListPage }));
const FaultPage = lazy(async () => ({ default: (await import('./features/faults/fault-page.tsx')).FaultPage }));
const ProblemListPage = lazy(async () => ({ default: (await import('./features/problems/problem-list-page.tsx')).ProblemListPage }));
const ProblemPage = lazy(async () => ({ default: (await import('./features/problems/problem-page.tsx')).ProblemPage }));
const ChangeListPage = lazy(async () => ({ default: (await import('./features/changes/change-list-page.tsx')).ChangeListPage }));
const ChangePage = lazy(async () => ({ default: (await import('./features/changes/change-page.tsx')).ChangePage }));
const MaintenancePage = lazy(async () => ({ default: (await import('./features/maintenance/maintenance-page.tsx')).MaintenancePage }));
const InventoryPage = lazy(async () => ({ default: (await import('./features/inventory/inventory-page.tsx')).InventoryPage }));
const AssessmentPage = lazy(async () => ({ default: (await import('./features/assessment/assessment-page.tsx')).AssessmentPage }));
const ReportsPage = lazy(async () => ({ default: (await import('./features/reports/reports-page.tsx')).ReportsPage }));

export function App() {
	const [client] = useState(createQueryClient);
	return (
		<LanguageProvider>
			<QueryClientProvider client={client}>
				<Localized />
			</QueryClientProvider>
		</LanguageProvider>
	);
}

function Localized() {
	const { language } = useLanguage();
	return (
		<ConfigProvider theme={theme} locale={language === 'zh' ? zhCN : enUS} button={{ autoInsertSpace: false }}>
			<AntApp component={false}>
				<BrowserRouter>
					<Suspense fallback={<PageSpin />}>
						<Routes>
							<Route path="/login" element={<LoginPage />} />
							<Route path="/setup" element={<SetupPage />} />
							<Route element={<Shell />}>
								<Route path="/" element={<OverviewPage />} />
								<Route path="/services/:id" element={<ServicePage />} />
								<Route path="/alerts" element={<AlertsPage />} />
								<Route path="/incidents" element={<IncidentListPage />} />
								<Route path="/incidents/:id" element={<IncidentPage />} />
								<Route path="/oncall" element={<OnCallPage />} />
								<Route path="/notifications" element={<NotificationsPage />} />
								<Route path="/boards" element={<BoardListPage />} />
								<Route path="/boards/:uid" element={<BoardPage />} />
								<Route path="/agents" element={<AgentsPage />} />
								<Route path="/reports" element={<ReportsPage />} />
								<Route path="/desk" element={<DeskLayout />}>
									<Route index element={<Navigate replace to="/desk/faults" />} />
									<Route path="faults" element={<FaultListPage />} />
									<Route path="faults/:id" element={<FaultPage />} />
									<Route path="problems" element={<ProblemListPage />} />
									<Route path="problems/:id" element={<ProblemPage />} />
									<Route path="changes" element={<ChangeListPage />} />
									<Route path="changes/:id" element={<ChangePage />} />
									<Route path="maintenance" element={<MaintenancePage />} />
									<Route path="inventory" element={<InventoryPage />} />
									<Route path="assessment" element={<AssessmentPage />} />
								</Route>
								<Route path="*" element={<MissingPage />} />
							</Route>
						</Routes>
					</Suspense>
				</BrowserRouter>
			</AntApp>
		</ConfigProvider>
	);
}

function MissingPage() {
	const texts = useTexts();
	return (
		<Result
			status="404"
			title={texts.common.pageMissing}
			extra={
				<Link to="/">
					<Button>{texts.common.backToOverview}</Button>
				</Link>
			}
		/>
	);
}
