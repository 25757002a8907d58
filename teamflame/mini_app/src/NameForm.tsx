import { type FormEvent, useState } from 'react';

import { useTexts } from './texts';

const LONGEST = 300; // characters

interface Props {
  opener: string;
  label: string;
  onCreate: (name: string) => Promise<void>;
}

/** A button that opens a form with one field, for whatever has only a name at first. */
export function NameForm({ opener, label, onCreate }: Props) {
  const texts = useTexts();
  const [name, setName] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  if (name === null) {
    return (
      <button type="button" className="quiet" onClick={() => setName('')}>
        <span aria-hidden="true">+ </span>
        {opener}
      </button>
    );
  }

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!name.trim() || isBusy) return;
    setBusy(true);
    try {
      await onCreate(name.trim());
      setName(null);
    } catch {
      // The caller has reported it; what was typed stays.
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="name-form" onSubmit={(event) => void submit(event)}>
      <label>
        {label}
        <input
          value={name}
          maxLength={LONGEST}
          autoFocus
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setName(null);
          }}
        />
      </label>
      <div className="row">
        <button type="submit" disabled={isBusy || !name.trim()}>
          {texts.create}
        </button>
        <button type="button" className="quiet" onClick={() => setName(null)}>
          {texts.cancel}
        </button>
      </div>
    </form>
  );
}
