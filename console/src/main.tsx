import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './styles.css';
import './desk.css';
import './on-call.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element "root"');
createRoot(root).render(<App />);
