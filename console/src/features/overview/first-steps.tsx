import { Card } from 'antd';
import { Link } from 'react-router';
import { useTexts } from '../../texts/language.tsx';

/** What a system that watches nothing but itself still needs, each with the place where it is done. */
export function FirstSteps() {
	const words = useTexts().overview.firstSteps;
	return (
		<Card title={words.title}>
			<ol className="first-steps">
				<li>
					<b>{words.watch}</b> {words.watchHow}
				</li>
				<li>
					<b>
						<Link to="/desk/inventory">{words.services}</Link>
					</b>{' '}
					{words.servicesHow}
				</li>
				<li>
					<b>{words.tell}</b> {words.tellHow} <code>fournines check collector.yml</code>
				</li>
				<li>
					<b>
						<Link to="/agents">{words.hosts}</Link>
					</b>{' '}
					{words.hostsHow}
				</li>
			</ol>
		</Card>
	);
}
