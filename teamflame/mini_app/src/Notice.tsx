import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';

import { oldestCall } from './api';
import { useTexts } from './texts';

const SHOWN_FOR = 8_000; // milliseconds
const SLOW = 3_000; // milliseconds

interface Props {
  text: string;
  onGone: (text: string) => void;
}

/** Tells what went wrong, for a while, and that there is no connection, for as long as that lasts. */
export function Notice({ text, onGone }: Props) {
  const texts = useTexts();
  const isOnline = useOnline();
  const isSlow = useSlow();

  useEffect(() => {
    if (!text) return undefined;
    const timer = setTimeout(() => onGone(''), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [onGone, text]);

  const said = text || (isOnline ? (isSlow ? texts.slow : '') : texts.offline);
  // A modal dialog covers the page and makes it inert, so a notice must be in it to be noticed.
  return createPortal(
    <p role="status" className={said ? 'notice' : 'notice is-empty'}>
      {said}
    </p>,
    document.querySelector('dialog[open]') ?? document.body,
  );
}

function useOnline(): boolean {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return isOnline;
}

/** Tells whether a call has been waiting for its answer for long. */
function useSlow(): boolean {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setSlow(oldestCall() > SLOW), 1_000);
    return () => clearInterval(timer);
  }, []);
  return isSlow;
}
