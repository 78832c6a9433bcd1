import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
// What all pages share comes first, so that a page's own rule wins over it.
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/marks.css';
import './styles/forms.css';
import './styles/tables.css';
import './styles/charts.css';
import './styles/boards.css';
import './styles/entrance.css';
import './styles/overview.css';
import './styles/services.css';
import './styles/alerts.css';
import './styles/notifications.css';
import './styles/on-call.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element "root"');
createRoot(root).render(<App />);
