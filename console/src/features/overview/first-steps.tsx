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
					<b>{words.watch}</b>
					<small>{words.watchHow}</small>
				</li>
				<li>
					<Link to="/desk/inventory">{words.services}</Link>
					<small>{words.servicesHow}</small>
				</li>
				<li>
					<b>{words.tell}</b>
					<small>
						{words.tellHow} <code>fournines check collector.yml</code>
					</small>
				</li>
				<li>
					<Link to="/agents">{words.hosts}</Link>
					<small>{words.hostsHow}</small>
				</li>
			</ol>
		</Card>
	);
}
