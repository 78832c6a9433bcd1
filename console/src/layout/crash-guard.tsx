import { Button, Result } from 'antd';
import { Component, type ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

interface CrashGuardProps {
	/** Another place, another try. */
	readonly place: string;
	readonly children: ReactNode;
}

/**
 * Keeps the rest of the console when one page cannot be drawn; without it the screen goes white. The usual cause is that the page's own code cannot be
 * fetched: the collector does not answer, or is a newer one than the page.
 */
export class CrashGuard extends Component<CrashGuardProps, { readonly crashed: boolean }> {
	override state = { crashed: false };

	static getDerivedStateFromError() {
		return { crashed: true };
	}

	override componentDidUpdate({ place }: CrashGuardProps): void {
		if (this.state.crashed && place !== this.props.place) this.setState({ crashed: false });
	}

	override render(): ReactNode {
		return this.state.crashed ? <Crashed /> : this.props.children;
	}
}

function Crashed() {
	const texts = useTexts();
	return (
		<Result
			status="warning"
			title={texts.errors.pageFailed}
			subTitle={texts.errors.pageFailedHint}
			extra={
				<Button type="primary" onClick={() => window.location.reload()}>
					{texts.common.reload}
				</Button>
			}
		/>
	);
}
