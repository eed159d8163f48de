/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * Which class a reservation is for. Everyone may read the monitor, and what is taught when is not public, so the page has identities alone. An operator who
 * is signed in may look them up.
 */
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import type { ViewerView } from '../core/views/monitor-view.ts';
import { askReservation, type ReservationName } from './api.ts';

type LookUp = (id: string) => Promise<ReservationName | undefined>;

/** `undefined`: the viewer may not know. */
const Names = createContext<LookUp | undefined>(undefined);

interface ClassNamesProps {
  readonly viewer: ViewerView | undefined;
  readonly children: ComponentChildren;
}

export function ClassNames({ viewer, children }: ClassNamesProps) {
  const csrf = viewer?.actions === 'ready' ? viewer.csrf : null;
  const lookUp = useMemo(() => (csrf === null ? undefined : rememberedLookUp(csrf)), [csrf]);
  return <Names.Provider value={lookUp}>{children}</Names.Provider>;
}

/** Nothing for a viewer who may not know. */
export function OfClass({ reservation }: { readonly reservation: string | null }) {
  const lookUp = useContext(Names);
  const [found, setFound] = useState<ReservationName>();
  useEffect(() => {
    let isCurrent = true;
    setFound(undefined);
    if (reservation !== null)
      void lookUp?.(reservation).then((name) => {
        if (isCurrent) setFound(name);
      });
    return () => {
      isCurrent = false;
    };
  }, [reservation, lookUp]);
  if (found === undefined) return null;
  const { title, code, owner } = found;
  return (
    <p class="of-class text" dir="auto">
      Class: {title !== '' && <b>{title}, </b>}code {code}, reserved by {owner}
    </p>
  );
}

/** Asks for each reservation once. One that was cancelled is not known any more. */
function rememberedLookUp(csrf: string): LookUp {
  const asked = new Map<string, ReturnType<LookUp>>();
  return (id) => {
    const known =
      asked.get(id) ?? askReservation(id, csrf).then((answer) => (answer.kind === 'answer' ? answer.value : undefined));
    asked.set(id, known);
    return known;
  };
}
