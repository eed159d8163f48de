/** The script of the pages for visitors. The viewer is loaded only when a session starts. */
import type { Texts } from '../../core/languages/texts.ts';
import { startDemo } from './demo.ts';
import { element } from './element.ts';
import { startLanding } from './landing.ts';
import { startWaiting } from './waiting.ts';

const texts = JSON.parse(element('texts').textContent) as Texts;
const { dataset } = document.querySelector('main') ?? document.body;

if (dataset['page'] === 'landing') startLanding(texts, dataset);
if (dataset['page'] === 'session') startWaiting(texts, dataset);
if (dataset['page'] === 'demo') startDemo();
