import { type ReactNode, useEffect, useRef } from 'react';

import { onBack } from './telegram';
import { useTexts } from './texts';

interface Props {
  label: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal sheet. Escape, Telegram's back button and "Close" all close it. */
export function Dialog({ label, onClose, children }: Props) {
  const texts = useTexts();
  const element = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    const opener = document.activeElement;
    element.current?.showModal();
    // Not "Close", which would look chosen.
    element.current?.focus();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  useEffect(() => onBack(onClose), [onClose]);

  return (
    <dialog
      ref={element}
      aria-label={label}
      tabIndex={-1}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div className="sheet">
        <header>
          <h2>{label}</h2>
          <button type="button" className="quiet" onClick={onClose}>
            {texts.close}
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
