/** @jsxRuntime automatic @jsxImportSource preact */
/** The script of both pages for classes. */
import { render } from 'preact';
import type { ClassView } from '../../core/views/class-view.ts';
import { startClassPage } from './class-page.ts';
import { TeacherPage } from './teacher-page.tsx';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';

const texts = read('texts') as ClassTexts;
const teacher = document.getElementById('teacher');
const view = read('view') as ClassView | undefined;
if (teacher !== null) {
  teacher.replaceChildren();
  render(<TeacherPage texts={texts} />, teacher);
}
if (view !== undefined) startClassPage(view, texts);

function read(id: string): unknown {
  const text = document.getElementById(id)?.textContent;
  return text === undefined ? undefined : JSON.parse(text);
}
