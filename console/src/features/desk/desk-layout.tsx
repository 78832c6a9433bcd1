import { Suspense } from 'react';
import { NavLink, Outlet } from 'react-router';
import { PageSpin } from '../../layout/shell.tsx';
import { useTexts } from '../../texts/language.tsx';

const PAGES = ['faults', 'problems', 'changes', 'maintenance', 'inventory', 'assessment'] as const;

/** The pages of the desk, one row of names above them. */
export function DeskLayout() {
	const texts = useTexts();
	return (
		<>
			<nav className="desk-nav" aria-label={texts.nav.desk}>
				{PAGES.map((page) => (
					<NavLink key={page} to={`/desk/${page}`} className={({ isActive }) => (isActive ? 'desk-link desk-active' : 'desk-link')}>
						{texts.desk.pages[page]}
					</NavLink>
				))}
			</nav>
			<Suspense fallback={<PageSpin />}>
				<Outlet />
			</Suspense>
		</>
	);
}
