import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Simulation } from './Simulation.jsx';

const project = 'https://github.com/cyberbotics/webots/blob/R2025a/projects/languages/python/worlds/example.wbt';

createRoot(document.querySelector('main')).render(
  <StrictMode>
    <h1>Robot simulation</h1>
    <Simulation server="https://session.example.org" project={project}>
      {(url) => <p role="status">Your simulation server: {url}</p>}
    </Simulation>
  </StrictMode>,
);
